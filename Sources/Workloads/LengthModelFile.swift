import Support

/// The content of a length model's file, checked.
struct LengthModelFile {
  struct Quantiles {
    /// Percentages, from 0 to 100.
    var p: [Double]
    /// Tokens.
    var q: [Double]

    init(_ object: JSONObject) throws(JSONError) {
      p = try object.numbers("p")
      q = try object.numbers("q")
    }
  }

  var name: String
  var title: String?
  var source: String?
  var tokenizer: String?
  var maxTotal: Int?
  /// How tokens lie between quantiles: `log` or `linear`.
  var interpolation: String
  var prompt: Quantiles
  var output: Quantiles
  /// Fields on each side of the checkerboard.
  var side: Int
  /// Mass by prompt rank, then by output rank.
  var mass: [[Double]]

  /// Reads and checks a file.
  init(parsing bytes: [UInt8], file: String) throws(WorkloadError) {
    do throws(JSONError) {
      let object = try JSONReader.object(bytes, file: file)
      let schema = object.value("schema")
      guard schema?.text == LengthModel.schema else {
        throw JSONError.invalid(
          file: file, field: "schema", value: "",
          expected: "\"\(LengthModel.schema)\", not \"\(schema?.text ?? "missing")\"")
      }
      try self.init(object)
    } catch {
      throw Self.explained(error)
    }
    if let problem { throw .invalidModel(file: file, field: problem.field, expected: problem.expected) }
  }

  private init(_ object: JSONObject) throws(JSONError) {
    name = try object.text("name")
    title = try object.optionalText("title")
    source = try object.optionalText("source")
    tokenizer = try object.optionalText("tokenizer")
    maxTotal = try object.optionalInteger("max_total", in: .min ... .max)
    interpolation = try object.text("marginal_interp")
    prompt = try Quantiles(object.object("prompt"))
    output = try Quantiles(object.object("output"))
    let checkerboard = try object.object("checkerboard")
    side = try checkerboard.integer("k", in: .min ... .max)
    mass = try checkerboard.rowsOfNumbers("mass")
  }

  /// The first thing that breaks the schema.
  private var problem: (field: String, expected: String)? {
    guard interpolation == "log" || interpolation == "linear" else {
      return ("marginal_interp", "\"log\" or \"linear\", not \"\(interpolation)\"")
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
    guard 1...1000 ~= side else { return ("checkerboard.k", "from 1 to 1000, not \(side)") }
    guard mass.count == side, mass.allSatisfy({ $0.count == side }) else {
      return ("checkerboard.mass", "\(side) rows of \(side) numbers, as k says")
    }
    guard mass.allSatisfy({ $0.allSatisfy { 0...1e15 ~= $0 } }),
      mass.contains(where: { $0.contains { $0 > 0 } })
    else { return ("checkerboard.mass", "numbers from 0 to 1e15, some of them above 0") }
    if let total = maxTotal, !(2...1_000_000_000 ~= total) {
      return ("max_total", "a number of tokens from 2 to 1e9, not \(total)")
    }
    return nil
  }

  private static func explained(_ error: JSONError) -> WorkloadError {
    switch error {
    case .unreadable(let file, let reason): .unreadable(file: file, reason: reason)
    case .malformed(let file, let line, let reason):
      .invalidModel(
        file: file, field: "the file",
        expected: "well-formed JSON" + (line.map { " from line \($0) on: " } ?? ": ") + reason)
    case .missing(let file, let field, _): .invalidModel(file: file, field: field, expected: "present")
    case .invalid(let file, let field, let value, let expected):
      .invalidModel(
        file: file, field: field, expected: value.isEmpty ? expected : "\(expected), not \(value)")
    }
  }
}
