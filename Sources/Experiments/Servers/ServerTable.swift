import Foundation
import Support

/// A table of measured servers: a setting a row, with its mean time to first token and time per output token.
package struct ServerTable: Sendable {
  /// The file.
  package let file: String
  /// The rows, in the file's order.
  package let rows: [MeasuredServer]

  /// Reads a table.
  ///
  /// - Throws: a `UserError` that names the line and the column.
  package init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ScheduleError.unreadable(path: path)
    }
    var table = try CSVReader(Array(data), file: path)
    let columns = try Columns(table)
    var rows: [MeasuredServer] = []
    while try table.next() { rows.append(try columns.row(table)) }
    file = path
    self.rows = rows
  }

  private struct Columns {
    let texts: [String: Int]
    /// Columns of deployments with workers apart, which a table may lack.
    let workerColumns: [String: Int]
    /// Where a row was published, which a table may lack.
    let source: Int?

    init(_ table: CSVReader) throws {
      let names = [
        "key", "model", "gpu", "backend", "version", "precision", "mode", "isl", "osl", "concurrency", "tp",
        "pp",
        "dp", "moe_ep", "ttft_ms", "tpot_ms", "flag", "client", "random_lengths", "date",
      ]
      texts = Dictionary(uniqueKeysWithValues: try names.map { ($0, try table.column($0)) })
      let workers = ["prefill", "decode"].flatMap { role in
        ["workers", "tp", "pp", "dp", "moe_ep"].map { "\(role)_\($0)" }
      }
      source = table.firstColumn("source")
      workerColumns = Dictionary(
        uniqueKeysWithValues: workers.compactMap { name in table.firstColumn(name).map { (name, $0) } })
    }

    /// The workers of a role; nil if the row has none.
    func workers(_ role: String, _ table: CSVReader) throws -> MeasuredServer.Workers? {
      func degree(_ name: String) throws -> Int? {
        guard let column = workerColumns["\(role)_\(name)"], !table.text(column).isEmpty else { return nil }
        return try table.integer(column, in: 1...1 << 16)
      }
      guard let count = try degree("workers"), let tensorParallel = try degree("tp") else { return nil }
      return MeasuredServer.Workers(
        count: count, tensorParallel: tensorParallel, pipelineParallel: try degree("pp") ?? 1,
        dataParallel: try degree("dp") ?? 1, expertParallel: try degree("moe_ep") ?? 1)
    }

    func row(_ table: CSVReader) throws -> MeasuredServer {
      func place(_ name: String) -> Int { texts[name] ?? 0 }
      func text(_ name: String) -> String { table.text(place(name)) }
      func count(_ name: String, upTo most: Int = 1 << 24) throws -> Int {
        try table.integer(place(name), in: 1...most)
      }
      /// Layouts of a deployment of several workers leave these out.
      func degree(_ name: String) throws -> Int {
        text(name).isEmpty ? 1 : try table.integer(place(name), in: 1...1 << 16)
      }
      func milliseconds(_ name: String) throws -> Double {
        try table.number(place(name), in: 1e-6...1e9, expected: "a positive number of milliseconds")
      }
      return MeasuredServer(
        line: table.line, key: text("key"), model: text("model"), gpu: text("gpu"), backend: text("backend"),
        version: text("version"), precision: text("precision"), isDisaggregated: text("mode") != "agg",
        prefill: try workers("prefill", table), decode: try workers("decode", table),
        promptTokens: try count("isl"), outputTokens: try count("osl"),
        concurrency: try count("concurrency", upTo: 1 << 14),
        tensorParallel: try degree("tp"), pipelineParallel: try degree("pp"), dataParallel: try degree("dp"),
        expertParallel: try degree("moe_ep"), firstToken: try milliseconds("ttft_ms") / 1000,
        timePerToken: try milliseconds("tpot_ms") / 1000, flag: text("flag"),
        isBurst: text("client") == "burst",
        hasRandomLengths: text("random_lengths") == "1", date: text("date"),
        source: source.map { table.text($0) } ?? "")
    }
  }
}

/// A measured server.
package struct MeasuredServer: Sendable {
  /// Equal workers of a deployment that has prefill and decode apart.
  package struct Workers: Sendable, Hashable {
    package var count: Int
    package var tensorParallel: Int
    package var pipelineParallel: Int
    package var dataParallel: Int
    package var expertParallel: Int
  }

  /// Its line in the table.
  package var line: Int
  package var key: String
  package var model: String
  package var gpu: String
  package var backend: String
  package var version: String
  package var precision: String
  package var isDisaggregated: Bool
  /// Workers that compute prompts, and those that decode, where they are apart.
  package var prefill: Workers?
  package var decode: Workers?
  package var promptTokens: Int
  package var outputTokens: Int
  package var concurrency: Int
  package var tensorParallel: Int
  package var pipelineParallel: Int
  package var dataParallel: Int
  package var expertParallel: Int
  /// Mean time to first token, in seconds.
  package var firstToken: Double
  /// Mean time per output token after the first, in seconds.
  package var timePerToken: Double
  /// Empty for a clean row.
  package var flag: String
  /// Whether all requests were sent at once and no more; else a closed loop.
  package var isBurst: Bool
  /// Whether lengths vary from 80 to 100 % of the nominal ones.
  package var hasRandomLengths: Bool
  package var date: String
  /// Where it was published, `ix-` for InferenceX; empty if that is not known.
  package var source = ""

  /// What rows are summed up by.
  package var group: String { "\(backend) \(version) \(model) \(precision) \(gpu)" }
  /// Whether its time per token can be held against a prediction.
  package var scoresTimePerToken: Bool { flag.isEmpty || flag == "ttft-outlier" }
  /// Whether its time to first token can be: the lockstep of a closed loop with equal lengths is not known.
  package var scoresFirstToken: Bool { flag.isEmpty && (isBurst || hasRandomLengths) }
}
