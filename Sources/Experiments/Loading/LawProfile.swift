import CostModels
import Foundation
import Support

/// Laws of iterations, rows of `laws.csv` of the profiles or of a file of the same columns, and tables of prompts.
enum LawProfile {
  /// The law of a name: a row of `laws.csv`, the rows of a name in `tables.csv`, the first row of a file, or two joined by `+`, of which
  /// the first says how long prefill takes and the second how long decoding does.
  ///
  /// - Throws: a `UserError` that names the file, the line and the column, or the laws that there are.
  static func named(_ name: String, profiles: String) throws -> IterationLaw {
    let parts = name.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    guard (1...2).contains(parts.count) else {
      throw ExperimentError.invalidValue(
        option: "--cost-model", value: "law[\(name)]", expected: "one law, or two as in law[prefill+decode]")
    }
    var law = try single(parts[0], profiles: profiles)
    guard parts.count == 2 else { return law }
    let other = try single(parts[1], profiles: profiles)
    law.name = name
    law.decode = other.decode
    law.largeDecode = other.largeDecode
    law.largeBatch = other.largeBatch
    law.decodeExtra = other.decodeExtra
    return law
  }

  private static func single(_ name: String, profiles: String) throws -> IterationLaw {
    if name.hasSuffix(".csv") {
      guard let law = try all(path: name).first else {
        throw ExperimentError.unreadable(source: name, reason: "there is no law in it")
      }
      return law
    }
    let laws = try all(path: profiles + "/laws.csv")
    if let law = laws.first(where: { $0.name == name }) { return law }
    let tables = try PromptTable.all(path: profiles + "/tables.csv")
    if let table = tables.first(where: { $0.name == name }) { return table.law }
    let names = laws.map(\.name) + tables.map(\.name)
    throw ExperimentError.invalidValue(
      option: "--cost-model", value: "law[\(name)]",
      expected: "a file ending in .csv, or one of \(names.joined(separator: ", "))")
  }

  private static func all(path: String) throws -> [IterationLaw] {
    if let table = try PromptTable.ifOne(path: path) { return [table.law] }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ExperimentError.unreadable(source: path, reason: "no such file")
    }
    var table = try CSVReader(Array(data), file: path)
    let (name, source) = (try table.column("name"), try table.column("source"))
    let columns = try ["prefill", "decode", "large_decode"].map { part in
      try ["constant", "linear", "third"].map { try table.column("\(part)_\($0)_ms") }
    }
    let extras = try ["prefill_extra_ms", "decode_extra_ms", "extra_per_token_ms"].map {
      try table.column($0)
    }
    let large = try table.column("large_batch")
    var laws: [IterationLaw] = []
    while try table.next() {
      func number(_ column: Int) throws -> Double {
        try table.number(column, in: 0...1e9, expected: "a number of milliseconds, 0 or more")
      }
      let numbers = try columns.map { try $0.map(number) }
      let added = try extras.map(number)
      laws.append(
        IterationLaw(
          name: table.text(name), source: table.text(source), prefill: numbers[0], decode: numbers[1],
          largeDecode: numbers[2], largeBatch: try table.integer(large, in: 1...1 << 30),
          prefillExtra: added[0],
          decodeExtra: added[1], perToken: added[2]))
    }
    return laws
  }
}
