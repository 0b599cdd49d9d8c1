import CostModels
import Foundation
import Serving
import Support

/// How long prompts of some lengths take, and how many KV bytes they leave: rows of `tables.csv` of the profiles, or of a file.
package struct PromptTable: Sendable {
  /// Its name.
  package let name: String
  /// Seconds of prefill by length.
  package let seconds: LengthTable
  /// KV bytes by length.
  package let bytes: LengthTable
  /// Where the figures are from.
  package let source: String

  /// A law that has no decoding of its own.
  var law: IterationLaw {
    var law = IterationLaw(
      name: name, source: source, prefill: [0, 0, 0], decode: [0, 0, 0], largeDecode: [0, 0, 0])
    law.promptSeconds = seconds
    law.promptBytes = bytes
    return law
  }

  /// The table of a name.
  ///
  /// - Throws: a `UserError` that says which there are, or what is wrong with the file.
  package static func named(_ name: String, profiles: String) throws -> PromptTable {
    let tables = try all(path: profiles + "/tables.csv")
    if let table = tables.first(where: { $0.name == name }) { return table }
    throw ExperimentError.invalidValue(
      option: "table", value: name, expected: "one of \(tables.map(\.name).joined(separator: ", "))")
  }

  /// The first table of a file; `nil` if it is none of tables.
  static func ifOne(path: String) throws -> PromptTable? {
    guard let data = FileManager.default.contents(atPath: path),
      data.prefix(64).starts(with: "name,tokens,".utf8)
    else { return nil }
    return try all(path: path).first
  }

  /// The tables of a file, whose rows are by name and length.
  static func all(path: String) throws -> [PromptTable] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ExperimentError.unreadable(source: path, reason: "no such file")
    }
    var reader = try CSVReader(Array(data), file: path)
    let columns = try ["name", "tokens", "prefill_s", "kv_bytes", "source"].map { try reader.column($0) }
    var rows: [(name: String, tokens: Double, seconds: Double, bytes: Double, source: String)] = []
    while try reader.next() {
      rows.append(
        (
          reader.text(columns[0]),
          try reader.number(columns[1], in: 1...1e9, expected: "a number of tokens, 1 or more"),
          try reader.number(columns[2], in: 0...1e6, expected: "a number of seconds, 0 or more"),
          try reader.number(columns[3], in: 0...1e18, expected: "a number of bytes, 0 or more"),
          reader.text(columns[4])
        ))
    }
    var names: [String] = []
    for row in rows where !names.contains(row.name) { names.append(row.name) }
    return try names.map { name in
      let own = rows.filter { $0.name == name }
      guard own.count >= 2, zip(own, own.dropFirst()).allSatisfy({ $0.tokens < $1.tokens }) else {
        throw ExperimentError.unreadable(
          source: path, reason: "table \(name): two rows at least, by increasing tokens")
      }
      func table(_ value: (Int) -> Double) -> LengthTable {
        LengthTable(own.indices.map { LengthTable.Point(tokens: own[$0].tokens, value: value($0)) })
      }
      return PromptTable(
        name: name, seconds: table { own[$0].seconds }, bytes: table { own[$0].bytes }, source: own[0].source)
    }
  }
}
