import Foundation

/// The content of a length model's file, checked.
struct LengthModelFile: Decodable {
  struct Quantiles: Decodable {
    /// Percentages, from 0 to 100.
    var p: [Double]
    /// Tokens.
    var q: [Double]
  }

  struct Checkerboard: Decodable {
    var k: Int
    /// Mass by prompt rank, then by output rank.
    var mass: [[Double]]
  }

  var schema: String
  var name: String
  var title: String?
  var source: String?
  var tokenizer: String?
  var max_total: Int?
  var marginal_interp: String
  var prompt: Quantiles
  var output: Quantiles
  var checkerboard: Checkerboard

  /// Reads and checks a file.
  init(parsing bytes: [UInt8], file: String) throws(WorkloadError) {
    struct Header: Decodable { var schema: String? }
    do {
      let data = Data(bytes)
      let header = try JSONDecoder().decode(Header.self, from: data)
      guard header.schema == LengthModel.schema else {
        throw WorkloadError.invalidModel(
          file: file, field: "schema",
          expected: "\"\(LengthModel.schema)\", not \"\(header.schema ?? "missing")\"")
      }
      self = try JSONDecoder().decode(LengthModelFile.self, from: data)
    } catch let error as WorkloadError {
      throw error
    } catch let error as DecodingError {
      throw Self.explained(error, file: file)
    } catch {
      throw .invalidModel(file: file, field: "the file", expected: "a JSON object")
    }
    if let problem { throw .invalidModel(file: file, field: problem.field, expected: problem.expected) }
  }

  /// The first thing that breaks the schema.
  private var problem: (field: String, expected: String)? {
    guard marginal_interp == "log" || marginal_interp == "linear" else {
      return ("marginal_interp", "\"log\" or \"linear\", not \"\(marginal_interp)\"")
    }
    for (field, table) in [("prompt", prompt), ("output", output)] {
      guard table.p.count == table.q.count, table.p.count >= 2 else {
        return (
          field,
          "two lists p and q of the same length, at least 2; they have \(table.p.count) and \(table.q.count)"
        )
      }
      guard table.p.first == 0, table.p.last == 100, zip(table.p, table.p.dropFirst()).allSatisfy(<) else {
        return ("\(field).p", "percentages that rise from 0 to 100")
      }
      guard table.q.allSatisfy({ 0...1e9 ~= $0 }), zip(table.q, table.q.dropFirst()).allSatisfy(<=) else {
        return ("\(field).q", "numbers of tokens from 0 to 1e9 that never fall")
      }
    }
    let side = checkerboard.k
    guard 1...1000 ~= side else { return ("checkerboard.k", "from 1 to 1000, not \(side)") }
    guard checkerboard.mass.count == side, checkerboard.mass.allSatisfy({ $0.count == side }) else {
      return ("checkerboard.mass", "\(side) rows of \(side) numbers, as k says")
    }
    guard checkerboard.mass.allSatisfy({ $0.allSatisfy { 0...1e15 ~= $0 } }),
      checkerboard.mass.contains(where: { $0.contains { $0 > 0 } })
    else { return ("checkerboard.mass", "numbers from 0 to 1e15, some of them above 0") }
    if let total = max_total, !(2...1_000_000_000 ~= total) {
      return ("max_total", "a number of tokens from 2 to 1e9, not \(total)")
    }
    return nil
  }

  private static func explained(_ error: DecodingError, file: String) -> WorkloadError {
    func path(_ context: DecodingError.Context, _ last: String = "") -> String {
      var keys: [String] = []
      for key in context.codingPath { keys.append(key.intValue.map { "[\($0)]" } ?? key.stringValue) }
      if !last.isEmpty { keys.append(last) }
      return keys.isEmpty ? "the file" : keys.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context):
      return .invalidModel(file: file, field: path(context, key.stringValue), expected: "present")
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return .invalidModel(file: file, field: path(context), expected: "of type \(type)")
    case .dataCorrupted(let context):
      return .invalidModel(
        file: file, field: path(context),
        expected: context.codingPath.isEmpty ? "well-formed JSON" : "a number in range")
    @unknown default:
      return .invalidModel(file: file, field: "the file", expected: "well-formed JSON")
    }
  }
}
