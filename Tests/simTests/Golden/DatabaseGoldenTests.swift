import Experiments
import Foundation
import ResultStore
import Support
import Testing

/// What a small run leaves in a database at one log level, as the file beside this one keeps it.
private struct GoldenDatabase: Codable, Equatable {
  /// Rows of each table, to be read by eye.
  var rows: [String: Int]
  /// Digest of schedules, counts and bytes, by table.
  var digests: [String: String]
  /// Sums of times, joules and shares, by table.
  var figures: [String: [Double]]

  func differences(from other: GoldenDatabase) -> [String] {
    digests.keys.sorted().filter { table in
      let (a, b) = (figures[table, default: []], other.figures[table, default: []])
      return rows[table] != other.rows[table] || digests[table] != other.digests[table] || a.count != b.count
        || !zip(a, b).allSatisfy { abs($0 - $1) <= 1e-12 * max(abs($0), abs($1)) }
    }
  }
}

/// All levels, and the revision of the program that made them.
private struct GoldenDatabaseFile: Codable {
  var revision: Int
  var levels: [String: GoldenDatabase]

  static let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "databases.json")
}

/// Rows of the database change on purpose only, as golden runs do.
///
/// `SIM_RECORD_GOLDEN=1 Scripts/test --filter DatabaseGoldenTests` records them anew, after the revision was raised.
@Suite struct DatabaseGoldenTests {
  /// A table's columns that are compared to the bit, those whose sums are, and the order of its rows.
  struct Table: Sendable {
    var name: String
    var exact: String
    var figures: String
    var order: String
  }

  /// Every column that a simulation fills in; names of runs and real times are left out.
  static let tables = [
    Table(
      name: "runs",
      exact: """
        policy, model, hardware, engine, trace, seed, num_prompts, tensor_parallel_size, completed, failed,
        total_input_tokens, total_output_tokens, energy_quality, iterations, preemptions, rejected, kernel_calls,
        extrapolated_kernel_calls, kv_blocks, trace_sha256
        """,
      figures: """
        request_rate, duration, request_throughput, request_goodput, output_throughput, total_token_throughput,
        mean_ttft_ms, median_ttft_ms, std_ttft_ms, p99_ttft_ms, mean_tpot_ms, median_tpot_ms, std_tpot_ms, p99_tpot_ms,
        mean_itl_ms, median_itl_ms, std_itl_ms, p99_itl_ms, mean_e2el_ms, median_e2el_ms, std_e2el_ms, p99_e2el_ms,
        slo_attainment, slo_attainment_ttft, slo_attainment_tbt, energy_j, idle_energy_j, energy_per_token_mj,
        energy_per_output_token_mj, expert_bytes, expert_bytes_per_request, mean_iteration_ms, mean_decode_batch,
        mean_in_system
        """,
      order: "run_id"),
    Table(
      name: "requests",
      exact: "request_id, status, num_prefill_tokens, num_decode_tokens, num_preemptions",
      figures: """
        arrived_at, scheduled_at, first_token_at, completed_at, itl_max_ms, energy_j, expert_bytes, ttft_ms, tpot_ms,
        itl_mean_ms, e2e_ms, scheduling_delay_ms
        """,
      order: "request_id"),
    Table(
      name: "iterations",
      exact: """
        iter, batch_size, num_prefill_tokens, num_decode_tokens, layer_begin, layer_end,
        CAST(round(experts_touched * 1e6) AS INTEGER), expert_bytes, weight_bytes, kv_bytes, activation_bytes,
        kv_blocks_used, queue_len
        """,
      figures: "t_start, t_end, energy_j, kernel_s", order: "iter"),
    Table(
      name: "spans", exact: "request_id, first_iter, last_iter, phase, completed", figures: "",
      order: "request_id, first_iter, phase"),
    Table(
      name: "kernels",
      exact: """
        kernel, calls, extrapolated_calls, CAST(round(flops / 1e6) AS INTEGER), CAST(round(bytes / 1e3) AS INTEGER)
        """,
      figures: "kernel_s, energy_j", order: "kernel"),
    Table(
      name: "iteration_kernels",
      exact: """
        iter, kernel, calls, extrapolated_calls, CAST(round(flops / 1e6) AS INTEGER),
        CAST(round(bytes / 1e3) AS INTEGER)
        """,
      figures: "kernel_s, energy_j", order: "iter, kernel"),
  ]

  /// Preemptions, requests that wait, and some that are unfinished at the end.
  static let arguments = [
    "--trace", "sharegpt", "--policy", "hybrid", "--request-rate", "20", "--gpu-memory-utilization", "0.41",
    "--num-prompts", "60", "--max-duration", "8", "--json",
  ]

  @Test func rowsChangeOnlyWithTheRevision() throws {
    var found: [String: GoldenDatabase] = [:]
    for level in LogLevel.allCases { found[level.rawValue] = try Self.database(level: level) }
    let known = try? JSONDecoder().decode(
      GoldenDatabaseFile.self, from: Data(contentsOf: GoldenDatabaseFile.path))
    let changed = found.keys.sorted().flatMap { level in
      known?.levels[level].map { golden in
        (found[level]?.differences(from: golden) ?? []).map { "\($0) at level \(level)" }
      } ?? []
    }
    if ProcessInfo.processInfo.environment["SIM_RECORD_GOLDEN"] != nil {
      let isAllowed = changed.isEmpty || Revision.results > known?.revision ?? 0
      #expect(isAllowed, "\(changed) changed: raise Revision.results, and say why, before recording them")
      guard isAllowed else { return }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      let file = GoldenDatabaseFile(revision: Revision.results, levels: found)
      try (encoder.encode(file) + Data("\n".utf8)).write(to: GoldenDatabaseFile.path)
    } else {
      #expect(known?.revision == Revision.results, "record the databases at this revision")
      #expect(changed.isEmpty, "these rows changed")
      #expect(known?.levels.keys.sorted() == found.keys.sorted(), "record the databases")
    }
  }

  /// Otherwise the rows would guard nothing.
  @Test func theRunShowsWhatMatters() throws {
    let file = try JSONDecoder().decode(
      GoldenDatabaseFile.self, from: Data(contentsOf: GoldenDatabaseFile.path))
    let rows = file.levels.mapValues(\.rows)
    #expect(rows["requests"]?["iterations"] == 0 && rows["requests"]?["requests"] == 60)
    #expect(rows["iterations"]?["iterations"] ?? 0 > 500 && rows["iterations"]?["iteration_kernels"] == 0)
    #expect(rows["kernels"]?["iteration_kernels"] ?? 0 > 5000)
    // A prefill that a preemption cut short is a span more; an unfinished request has no span of its decoding.
    #expect(rows["iterations"]?["spans"] ?? 0 > 60)
    #expect(file.levels.values.allSatisfy { $0.rows["runs"] == 1 && $0.rows["kernels"] ?? 0 > 10 })
  }

  /// Runs the program and reduces its database.
  private static func database(level: LogLevel) throws -> GoldenDatabase {
    try TestProject.withDatabase { path in
      let outcome = try Binary.run(
        arguments + TestProject.folders + ["--db", path, "--log", level.rawValue])
      #expect(outcome.status == 0, "\(outcome.errors)")
      let reader = try ResultReader(path: path)
      var golden = GoldenDatabase(rows: [:], digests: [:], figures: [:])
      for table in tables {
        let exact = try reader.query("SELECT \(table.exact) FROM \(table.name) ORDER BY \(table.order)").rows
        let text = exact.map { $0.map(\.csv).joined(separator: ",") + "\n" }.joined()
        golden.rows[table.name] = exact.count
        golden.digests[table.name] = SHA256.hexDigest(of: Array(text.utf8))
        guard !table.figures.isEmpty else { continue }
        let figures = try reader.query("SELECT \(table.figures) FROM \(table.name) ORDER BY \(table.order)")
        golden.figures[table.name] = figures.columns.indices.map { column in
          // Weighted by their ranks, so that their order counts.
          figures.rows.enumerated().reduce(0.0) { sum, row in
            let weight = 1 + Double(row.offset) / Double(figures.rows.count)
            return sum + (row.element[column].number ?? 0) * weight
          }
        }
      }
      return golden
    }
  }
}
