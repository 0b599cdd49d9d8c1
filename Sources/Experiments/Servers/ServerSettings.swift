import Foundation
import Policies
import Support
import Systems

/// What is published of the settings of measured servers, `servers/inferencex.csv` of the profiles.
///
/// Each line has a setting and the servers that it holds for; an empty column means any. Of lines that fit a server and
/// have the same setting the last one counts.
struct ServerSettings: Sendable {
  /// The settings of the instances of a pool.
  struct OfPool: Sendable, Hashable {
    /// Settings of the engine, by path, as on the command line.
    var engine: [String: SettingValue] = [:]
    /// The policy with its parameters; `nil` where it is the engine's own.
    var policy: String?
    /// Ranks over which experts are shared out, where the table does not say that they are.
    var expertParallel: Int?
  }

  private let rows: [Row]

  /// Whether something is known of some server.
  var isEmpty: Bool { rows.isEmpty }

  /// Reads a file; where there is none, nothing is known.
  ///
  /// - Throws: a `UserError` that names the line and the column.
  init(file path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      rows = []
      return
    }
    var table = try CSVReader(Array(data), file: path)
    let columns = try Columns(table)
    var rows: [Row] = []
    while try table.next() { rows.append(try columns.row(table)) }
    self.rows = rows
  }

  /// What is published of a pool of a server.
  ///
  /// - Parameters:
  ///   - server: the server.
  ///   - pool: `prefill` or `decode`; `nil` in a server that does both.
  /// - Returns: its settings.
  func settings(of server: MeasuredServer, pool: String?) -> OfPool {
    var result = OfPool()
    for row in rows where row.fits(server, pool: pool) {
      switch row.setting {
      case "policy": result.policy = row.value.text
      case "expert_parallel": result.expertParallel = row.value.sum(for: server)
      default: result.engine[row.setting] = row.value.value(for: server)
      }
    }
    return result
  }
}

extension ServerSettings {
  /// A line with a setting that no engine has, or not with such a value.
  struct BadLine: UserError {
    /// What is wrong, and where.
    let description: String
    /// The status that the program exits with.
    var exitStatus: ExitStatus { .dataError }

    fileprivate init(_ table: CSVReader, cause: any Error) {
      description = "\(table.file): line \(table.line): \(cause)"
    }
  }

  fileprivate struct Row: Sendable {
    /// What the columns must be, or begin with; empty for any.
    var source: String
    var version: String
    /// What the columns must be; empty for any.
    var texts: [(any KeyPath<MeasuredServer, String> & Sendable, String)]
    var numbers: [(any KeyPath<MeasuredServer, Int> & Sendable, ClosedRange<Int>)]
    var mode: String
    var pool: String
    /// What the server's name has in it; empty for any.
    var layout: String
    var setting: String
    var value: Value

    func fits(_ server: MeasuredServer, pool: String?) -> Bool {
      server.source.hasPrefix(source) && server.version.hasPrefix(version)
        && (mode.isEmpty || (mode == "disagg") == server.isDisaggregated)
        && (self.pool.isEmpty || self.pool == pool)
        && (layout.isEmpty || server.key.contains(layout))
        && texts.allSatisfy { server[keyPath: $0.0] == $0.1 }
        && numbers.allSatisfy { $0.1.contains(server[keyPath: $0.0]) }
    }
  }

  /// A value as on the command line, or a sum of whole numbers and of `isl`, `concurrency` and `tp`, rounded up to a
  /// multiple of what stands behind `~`.
  fileprivate struct Value: Sendable {
    var text: String

    func value(for server: MeasuredServer) -> SettingValue {
      sum(for: server).map { .number(Double($0)) } ?? SettingValue(parsing: text)
    }

    /// The sum for some server; `nil` where it is none.
    var example: Int? { sum(isl: 1024, concurrency: 16, tp: 8) }

    /// The sum; `nil` where it is none.
    func sum(for server: MeasuredServer) -> Int? {
      sum(isl: server.promptTokens, concurrency: server.concurrency, tp: server.tensorParallel)
    }

    private func sum(isl: Int, concurrency: Int, tp: Int) -> Int? {
      let parts = text.split(separator: "~", omittingEmptySubsequences: false)
      let multiple = parts.count == 2 ? Int(parts[1]) ?? 0 : 1
      guard parts.count <= 2, multiple > 0 else { return nil }
      let terms = parts[0].split(separator: "+", omittingEmptySubsequences: false).map { term -> Int? in
        switch term {
        case "isl": isl
        case "concurrency": concurrency
        case "tp": tp
        default: Int(term)
        }
      }
      guard !terms.contains(nil) else { return nil }
      let sum = terms.reduce(0) { $0 + ($1 ?? 0) }
      return (sum + multiple - 1) / multiple * multiple
    }
  }

  fileprivate struct Columns {
    private let places: [String: Int]

    init(_ table: CSVReader) throws {
      let names = [
        "source", "mode", "pool", "backend", "version", "model", "precision", "gpu", "tp", "isl", "osl",
        "layout",
        "concurrency", "setting", "value",
      ]
      places = Dictionary(uniqueKeysWithValues: try names.map { ($0, try table.column($0)) })
    }

    func row(_ table: CSVReader) throws -> Row {
      func text(_ name: String) -> String { table.text(places[name] ?? 0) }
      let texts: [(String, any KeyPath<MeasuredServer, String> & Sendable)] = [
        ("backend", \.backend), ("model", \.model), ("precision", \.precision), ("gpu", \.gpu),
      ]
      let numbers: [(String, any KeyPath<MeasuredServer, Int> & Sendable)] = [
        ("tp", \.tensorParallel), ("isl", \.promptTokens), ("osl", \.outputTokens),
        ("concurrency", \.concurrency),
      ]
      let value = Value(text: text("value"))
      try check(text("setting"), value, table)
      guard ["", "agg", "disagg"].contains(text("mode")) else {
        throw table.invalid(places["mode"] ?? 0, expected: "agg, disagg, or nothing for both")
      }
      guard ["", "prefill", "decode"].contains(text("pool")), text("pool").isEmpty || text("mode") == "disagg"
      else {
        throw table.invalid(
          places["pool"] ?? 0, expected: "prefill or decode where the mode is disagg, or nothing")
      }
      return Row(
        source: text("source"), version: text("version"),
        texts: texts.filter { !text($0.0).isEmpty }.map { ($0.1, text($0.0)) },
        numbers: try numbers.filter { !text($0.0).isEmpty }.map { ($0.1, try range($0.0, table)) },
        mode: text("mode"), pool: text("pool"), layout: text("layout"), setting: text("setting"),
        value: value)
    }

    /// Sees to it that there is such a setting, and that its value is one.
    private func check(_ setting: String, _ value: Value, _ table: CSVReader) throws {
      switch setting {
      case "expert_parallel":
        guard value.example.map({ $0 >= 1 }) == true else {
          throw table.invalid(places["value"] ?? 0, expected: "a number of GPUs, at least 1, or tp")
        }
      case "policy":
        do { _ = try Policy(value.text) } catch { throw BadLine(table, cause: error) }
      default:
        var engine = EngineDescription()
        let example = value.example.map { SettingValue.number(Double($0)) }
        do {
          try engine.change([setting: example ?? SettingValue(parsing: value.text)])
        } catch {
          throw BadLine(table, cause: error)
        }
      }
    }

    /// A number, or all from one on, or up to one: `16`, `16..`, `..15`.
    private func range(_ name: String, _ table: CSVReader) throws -> ClosedRange<Int> {
      let place = places[name] ?? 0
      let text = table.text(place)
      if text.hasSuffix(".."), let first = Int(text.dropLast(2)) { return first...Int.max }
      if text.hasPrefix(".."), let last = Int(text.dropFirst(2)), last >= 0 { return 0...last }
      let number = try table.integer(place, in: 1...1 << 24)
      return number...number
    }
  }
}
