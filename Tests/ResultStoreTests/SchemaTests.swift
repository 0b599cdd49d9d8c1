import Foundation
import GRDB
import Testing

@testable import ResultStore

struct SchemaTests {
  /// Changing a released schema takes a new version and a migration.
  @Test func tablesAndViews() throws {
    let directory = try TemporaryDirectory()
    _ = try RunWriter(path: directory.database)
    let database = try DatabaseQueue(path: directory.database)
    let schema = try database.read { db in
      let names = try String.fetchAll(
        db,
        sql:
          "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%' ORDER BY name"
      )
      return try names.map { name in
        let columns = try String.fetchAll(
          db, sql: "SELECT name FROM pragma_table_xinfo(?)", arguments: [name])
        return "\(name): \(columns.joined(separator: " "))"
      }
    }
    #expect(
      schema == [
        "capacities: capacity_id created_at version argv config policy model hardware engine trace "
          + "tensor_parallel_size seeds attainment_target max_watts max_energy_per_token_mj tolerance request_rate "
          + "request_rate_failing request_rate_low request_rate_high limited_by slo_attainment mean_watts "
          + "energy_per_token_mj runs",
        "instances: run_id instance pool model hardware engine tensor_parallel_size policy kv_blocks max_num_seqs "
          + "completed total_input_tokens cached_tokens total_output_tokens busy_s energy_j role",
        "iteration_kernels: run_id instance iter kernel calls extrapolated_calls kernel_s energy_j flops bytes",
        "iteration_lanes: run_id instance first_iter lane iter t_start t_end batch_size num_prefill_tokens "
          + "num_decode_tokens layer_begin layer_end experts_touched expert_bytes weight_bytes kv_bytes "
          + "activation_bytes energy_j kernel_s kv_blocks_used queue_len",
        "iteration_strips: run_id instance first_iter steps t_start batch_size num_prefill_tokens num_decode_tokens "
          + "layer_begin layer_end layer_step experts_touched expert_bytes weight_bytes kv_bytes kv_bytes_step "
          + "activation_bytes queue_len \(lanes("t_end")) \(lanes("energy_j")) \(lanes("kernel_s")) "
          + lanes("kv_blocks_used"),
        "iterations: run_id instance iter t_start t_end batch_size num_prefill_tokens num_decode_tokens layer_begin "
          + "layer_end experts_touched expert_bytes weight_bytes kv_bytes activation_bytes energy_j kernel_s "
          + "kv_blocks_used queue_len",
        "kernels: run_id kernel calls extrapolated_calls kernel_s energy_j flops bytes",
        "lanes: lane",
        "latencies: run_id metric value_ms",
        "log_percentiles: run_id metric samples mean_ms std_ms min_ms p50_ms p90_ms p95_ms p99_ms max_ms",
        "percentiles: run_id metric samples mean_ms std_ms min_ms p50_ms p90_ms p95_ms p99_ms max_ms",
        "plans: plan_id created_at version argv config policy model hardware engine trace tensor_parallel_size "
          + "pipeline_parallel_size seeds attainment_target max_watts max_energy_per_token_mj tolerance request_rate "
          + "instances gpus capacity headroom utilisation limited_by slo_attainment mean_watts kwh_per_day "
          + "energy_per_token_mj gpu_price cost_per_hour cost_per_million_tokens",
        "request_itl: run_id request_id itl_mean_ms itl_p99_ms itl_max_ms",
        "requests: run_id request_id instance status arrived_at num_prefill_tokens num_decode_tokens scheduled_at "
          + "first_token_at completed_at itl_max_ms num_preemptions energy_j expert_bytes ttft_ms tpot_ms itl_mean_ms "
          + "e2e_ms scheduling_delay_ms cached_tokens",
        "runs: run_id created_at version argv config config_hash profile_sha256 trace_sha256 policy model hardware "
          + "engine trace seed request_rate num_prompts tensor_parallel_size log_level wall_s duration completed failed "
          + "total_input_tokens total_output_tokens request_throughput request_goodput output_throughput "
          + "total_token_throughput mean_ttft_ms median_ttft_ms std_ttft_ms p99_ttft_ms mean_tpot_ms median_tpot_ms "
          + "std_tpot_ms p99_tpot_ms mean_itl_ms median_itl_ms std_itl_ms p99_itl_ms mean_e2el_ms median_e2el_ms "
          + "std_e2el_ms p99_e2el_ms slo_attainment slo_attainment_ttft slo_attainment_tbt energy_j idle_energy_j "
          + "energy_per_token_mj energy_per_output_token_mj energy_quality expert_bytes expert_bytes_per_request "
          + "iterations mean_iteration_ms mean_decode_batch mean_in_system preemptions rejected kernel_calls "
          + "extrapolated_kernel_calls kv_blocks extra results_revision unfinished max_output_tokens_per_s "
          + "max_concurrent_requests policy_name budget stages chunk max_duration",
        "spans: run_id request_id instance first_iter last_iter phase completed",
        "token_gaps: run_id request_id token t gap_ms",
        "token_times: run_id request_id t",
        "transfers: run_id request_id from_instance to_instance bytes ready_at started_at ended_at",
        "vidur_batches: run_id replica_id batch_id batch_size batch_num_tokens batch_num_prefill_tokens "
          + "batch_num_decode_tokens batch_execution_time",
        "vidur_requests: run_id request_id arrived_at request_num_prefill_tokens request_num_decode_tokens "
          + "request_num_tokens request_num_restarts request_e2e_time prefill_e2e_time request_scheduling_delay",
        "vllm_metrics: run_id mean_ttft_ms median_ttft_ms std_ttft_ms p99_ttft_ms mean_tpot_ms median_tpot_ms "
          + "std_tpot_ms p99_tpot_ms mean_itl_ms median_itl_ms std_itl_ms p99_itl_ms mean_e2el_ms median_e2el_ms "
          + "std_e2el_ms p99_e2el_ms",
      ])
    let pragmas = try database.read { db in
      try ["user_version", "application_id", "journal_mode"].map {
        try String.fetchOne(db, sql: "PRAGMA \($0)") ?? ""
      }
    }
    // Generated ones are hidden from some readers of SQLite files.
    let generated = try database.read { db in
      try String.fetchAll(
        db,
        sql: "SELECT c.name FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS c WHERE c.hidden <> 0")
    }
    #expect(generated == [])
    #expect(pragmas == ["\(Schema.version)", "\(0x4c53_494d)", "wal"])
  }

  private func lanes(_ name: String) -> String { (0..<16).map { "\(name)_\($0)" }.joined(separator: " ") }

  /// Columns of `runs` that repeat parts of its configuration, latencies of requests, and percentiles are stored.
  @Test func whatIsDerivedIsStored() throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    SampleRun.record(in: writer)
    var row = SampleRun.row
    row.configJSON =
      #"{"cluster":{"pools":[{"policy":{"name":"chunked","budget":256}}]},"limits":{"max_duration":9}}"#
    row.percentiles = [[("metric", "ttft"), ("samples", 3), ("p90_ms", 1.5)]]
    _ = try writer.finish(row)
    let reader = try ResultReader(path: directory.database)
    let run = try reader.query("SELECT policy_name, budget, stages, max_duration FROM runs")
    #expect(run.rows == [["chunked", 256, nil, 9.0]])
    #expect(
      try reader.query("SELECT metric, samples, mean_ms, p90_ms FROM percentiles WHERE run_id = 1").rows
        == [["ttft", 3, nil, 1.5]])
    let wrong = try reader.query(
      """
      SELECT request_id FROM requests WHERE ttft_ms IS NOT (first_token_at - arrived_at) * 1000
        OR e2e_ms IS NOT (completed_at - arrived_at) * 1000 OR itl_mean_ms IS NOT tpot_ms
        OR scheduling_delay_ms IS NOT (scheduled_at - arrived_at) * 1000
        OR tpot_ms IS NOT CASE WHEN num_decode_tokens > 1
          THEN (completed_at - first_token_at) * 1000 / (num_decode_tokens - 1) END
      """)
    #expect(wrong.rows == [])
    #expect(try reader.query("SELECT count(*) FROM requests WHERE ttft_ms IS NULL").rows == [[1]])
  }

  @Test func deletingARunDeletesItsRows() throws {
    let directory = try TemporaryDirectory()
    try SampleRun.write(to: directory.database, logLevel: .kernels)
    try SampleRun.write(to: directory.database, logLevel: .kernels)
    try DatabaseQueue(path: directory.database).write {
      try $0.execute(sql: "DELETE FROM runs WHERE run_id = 1")
    }
    let reader = try ResultReader(path: directory.database)
    for table in ["requests", "iterations", "spans", "kernels", "iteration_kernels"] {
      let left = try reader.query("SELECT DISTINCT run_id FROM \(table)")
      #expect(left.rows == [[2]], "\(table)")
    }
  }

  /// The scripts that read databases refuse other versions than the one they were written for.
  @Test func theScriptsKnowTheSchema() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let script = try String(contentsOf: root.appending(path: "Scripts/lib/results.py"), encoding: .utf8)
    #expect(script.contains("\nSCHEMA = \(Schema.version)\n"))
  }
}
