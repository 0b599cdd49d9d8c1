extension NamedQuery {
  /// Queries on one run.
  static let aboutARun = [
    NamedQuery(
      name: "latency", summary: "distribution of each latency of a run, recomputed from its log",
      sql: """
        SELECT metric, samples, mean_ms, std_ms, min_ms, p50_ms, p90_ms, p95_ms, p99_ms, max_ms
        FROM log_percentiles WHERE run_id = :run
        """),
    NamedQuery(
      name: "kernels", summary: "where a run's time goes: its kernels, and the host beside them",
      sql: """
        WITH
          parts AS (
            SELECT kernel, calls, 1.0 * extrapolated_calls / calls AS extrapolated, kernel_s
            FROM kernels WHERE run_id = :run
            UNION ALL
            SELECT '(host, beyond the kernels)', NULL, NULL, sum(t_end - t_start - kernel_s)
            FROM iterations WHERE run_id = :run HAVING count(*) > 0)
        SELECT kernel, kernel_s AS seconds, kernel_s / sum(kernel_s) OVER () AS share, calls,
          kernel_s / calls * 1e6 AS us_per_call, extrapolated
        FROM parts ORDER BY kernel_s DESC
        """),
    NamedQuery(
      name: "energy", summary: "where a run's energy goes: its kernels above idle, and idle power",
      sql: """
        WITH
          parts AS (
            SELECT kernel, energy_j, bytes, flops FROM kernels WHERE run_id = :run
            UNION ALL
            SELECT '(idle power, requests in the system)',
              r.energy_j - coalesce(r.idle_energy_j, 0)
                - (SELECT total(energy_j) FROM kernels WHERE run_id = :run), NULL, NULL
            FROM runs AS r WHERE run_id = :run
            UNION ALL
            SELECT '(idle power, nothing to do)', idle_energy_j, NULL, NULL FROM runs WHERE run_id = :run)
        SELECT kernel, energy_j, energy_j / sum(energy_j) OVER () AS share,
          bytes / 1e12 AS terabytes, flops / 1e12 AS teraflops
        FROM parts WHERE energy_j IS NOT NULL ORDER BY energy_j DESC
        """),
    NamedQuery(
      name: "layer-groups", summary: "iterations of a run by the layers that carry prefill",
      sql: """
        SELECT layer_begin, layer_end, count(*) AS iterations,
          sum(t_end - t_start) AS seconds, avg(t_end - t_start) * 1000 AS mean_ms,
          avg(num_prefill_tokens) AS mean_prefill_tokens, avg(num_decode_tokens) AS mean_decodes,
          avg(experts_touched) AS mean_experts, sum(expert_bytes) / 1e12 AS expert_tb
        FROM iterations WHERE run_id = :run
        GROUP BY layer_begin, layer_end ORDER BY layer_begin, layer_end
        """),
    NamedQuery(
      name: "batches", summary: "iterations of a run by how many sequences decode",
      sql: """
        SELECT num_decode_tokens / 16 * 16 AS decodes_from, num_prefill_tokens > 0 AS with_prefill,
          count(*) AS iterations, avg(t_end - t_start) * 1000 AS mean_ms,
          sum(expert_bytes) / sum(t_end - t_start) / 1e9 AS expert_gb_per_s,
          sum(energy_j) / sum(t_end - t_start) AS watts
        FROM iterations WHERE run_id = :run GROUP BY 1, 2 ORDER BY 1, 2
        """),
    NamedQuery(
      name: "slowest", summary: "the twenty requests of a run that waited longest for their first token",
      sql: """
        SELECT request_id, arrived_at, num_prefill_tokens, num_decode_tokens, scheduling_delay_ms, ttft_ms,
          tpot_ms, itl_max_ms, e2e_ms, num_preemptions
        FROM requests WHERE run_id = :run AND status = 'completed' ORDER BY ttft_ms DESC, request_id LIMIT 20
        """),
    NamedQuery(
      name: "stalls",
      summary: "the twenty longest gaps between two tokens, and the iteration that ended each",
      sql: """
        WITH
          longest AS (
            SELECT request_id, token, gap_ms, t FROM token_gaps WHERE run_id = :run AND gap_ms IS NOT NULL
            ORDER BY gap_ms DESC, request_id, token LIMIT 20)
        SELECT g.request_id, g.token, g.gap_ms, i.instance, i.iter, i.num_prefill_tokens, i.num_decode_tokens,
          i.layer_begin, i.layer_end
        FROM longest AS g
        JOIN spans AS s ON s.run_id = :run AND s.request_id = g.request_id
        JOIN iteration_lanes AS i ON i.run_id = s.run_id AND i.instance = s.instance
          AND i.first_iter BETWEEN s.first_iter - \(Schema.lanes.upperBound - 1) AND s.last_iter
          AND i.iter BETWEEN s.first_iter AND s.last_iter AND i.t_end = g.t
        ORDER BY g.gap_ms DESC, g.request_id, g.token
        """),
    NamedQuery(
      name: "rejected", summary: "the requests of a run that were turned away, because they were too long",
      sql: """
        SELECT request_id, arrived_at, num_prefill_tokens, num_decode_tokens
        FROM requests WHERE run_id = :run AND status = 'rejected' ORDER BY request_id
        """),
  ]
}
