extension NamedQuery {
  /// Queries on all runs of a database.
  static let acrossRuns = [
    NamedQuery(
      name: "runs", summary: "every run in a line: what was simulated, and its main figures",
      sql: """
        SELECT run_id, policy, model, hardware, engine, trace, request_rate, seed, completed, rejected,
          mean_ttft_ms, p99_ttft_ms, mean_tpot_ms, p99_itl_ms, mean_e2el_ms, slo_attainment,
          energy_per_token_mj, expert_bytes_per_request / 1e9 AS expert_gb_per_request
        FROM runs ORDER BY run_id
        """),
    NamedQuery(
      name: "policies",
      summary:
        "policies side by side: means over seeds of runs that differ in nothing else, the latest of repeats",
      sql: """
        SELECT model, hardware, tensor_parallel_size AS tp, engine, trace, request_rate, num_prompts, policy,
          min(run_id) AS first_run, count(*) AS runs,
          avg(mean_ttft_ms) AS mean_ttft_ms, avg(p99_ttft_ms) AS p99_ttft_ms,
          avg(mean_tpot_ms) AS mean_tpot_ms, avg(p99_itl_ms) AS p99_itl_ms, avg(mean_e2el_ms) AS mean_e2el_ms,
          avg(slo_attainment) AS slo_attainment, avg(energy_per_token_mj) AS energy_per_token_mj,
          avg(expert_bytes_per_request) / 1e9 AS expert_gb_per_request
        FROM runs WHERE run_id IN (SELECT max(run_id) FROM runs GROUP BY coalesce(config_hash, run_id))
        GROUP BY model, hardware, engine, tensor_parallel_size, trace, request_rate, num_prompts, policy,
          json_remove(config, '$.workload.seed'), profile_sha256, trace_sha256, results_revision
        ORDER BY model, hardware, engine, tensor_parallel_size, trace, request_rate, num_prompts, policy
        """),
    NamedQuery(
      name: "capacities", summary: "what sim capacity found: the largest rates, and what fails beyond",
      sql: """
        SELECT capacity_id, policy, model, hardware, tensor_parallel_size AS tp, engine, trace, request_rate,
          request_rate_low, request_rate_high, limited_by, slo_attainment, mean_watts, energy_per_token_mj, runs
        FROM capacities ORDER BY capacity_id
        """),
    NamedQuery(
      name: "check",
      summary: "figures that do not come out of a run's own log: none where nothing was changed or damaged",
      sql: """
        WITH whole AS (
          SELECT * FROM runs WHERE config ->> '$.limits.measure_from' IS NULL
            AND config ->> '$.limits.measure_until' IS NULL
        ), served AS (
          SELECT run_id, count(*) FILTER (WHERE status = 'completed') AS completed,
            count(*) FILTER (WHERE status = 'rejected') AS rejected,
            count(*) FILTER (WHERE status = 'unfinished') AS unfinished,
            total(num_prefill_tokens) FILTER (WHERE status = 'completed') AS input,
            total(num_decode_tokens) FILTER (WHERE status = 'completed') AS output,
            avg(ttft_ms) FILTER (WHERE status = 'completed') AS ttft,
            avg(tpot_ms) FILTER (WHERE status = 'completed' AND num_decode_tokens > 1) AS tpot,
            avg(e2e_ms) FILTER (WHERE status = 'completed') AS e2el, total(num_preemptions) AS preemptions
          FROM requests GROUP BY run_id
        ), steps AS (
          SELECT run_id, count(*) AS iterations, total(energy_j) AS joules FROM iterations GROUP BY run_id
        ), figures AS (
          SELECT run_id, 'completed' AS figure, completed AS stored,
            coalesce((SELECT completed FROM served s WHERE s.run_id = r.run_id), 0) AS logged FROM whole r
          UNION ALL SELECT run_id, 'rejected', r.rejected, s.rejected FROM whole r JOIN served s USING (run_id)
          UNION ALL SELECT run_id, 'unfinished', r.unfinished, s.unfinished FROM whole r JOIN served s USING (run_id)
          UNION ALL SELECT run_id, 'total_input_tokens', total_input_tokens, input FROM whole JOIN served USING (run_id)
          UNION ALL SELECT run_id, 'total_output_tokens', total_output_tokens, output FROM whole JOIN served USING (run_id)
          UNION ALL SELECT run_id, 'mean_ttft_ms', mean_ttft_ms, ttft FROM whole JOIN served USING (run_id)
          UNION ALL SELECT run_id, 'mean_tpot_ms', mean_tpot_ms, tpot FROM whole JOIN served USING (run_id)
          UNION ALL SELECT run_id, 'mean_e2el_ms', mean_e2el_ms, e2el FROM whole JOIN served USING (run_id)
          UNION ALL SELECT run_id, 'preemptions', r.preemptions, s.preemptions FROM whole r JOIN served s USING (run_id)
          UNION ALL SELECT run_id, 'iterations', r.iterations, s.iterations FROM whole r JOIN steps s USING (run_id)
          UNION ALL SELECT run_id, 'energy_j', energy_j - idle_energy_j, joules FROM whole JOIN steps USING (run_id)
        )
        SELECT run_id, figure, stored, logged FROM figures
        WHERE stored IS NOT NULL AND coalesce(abs(stored - coalesce(logged, 0)) > 1e-9 * abs(stored) + 1e-9, 1)
        ORDER BY run_id, figure
        """),
    NamedQuery(
      name: "attainment", summary: "share of requests that meet the objective, by rate and policy",
      sql: """
        SELECT model, hardware, tensor_parallel_size AS tp, engine, trace, num_prompts, policy, request_rate,
          min(run_id) AS first_run, count(*) AS runs,
          avg(slo_attainment) AS both, min(slo_attainment) AS worst_seed,
          avg(slo_attainment_ttft) AS ttft_alone, avg(slo_attainment_tbt) AS tbt_alone,
          avg(request_goodput) AS goodput_per_s, avg(mean_in_system) AS mean_in_system
        FROM runs WHERE run_id IN (SELECT max(run_id) FROM runs GROUP BY coalesce(config_hash, run_id))
        GROUP BY model, hardware, engine, tensor_parallel_size, trace, num_prompts, policy, request_rate,
          json_remove(config, '$.workload.seed'), profile_sha256, trace_sha256, results_revision
        ORDER BY model, hardware, engine, tensor_parallel_size, trace, policy, request_rate
        """),
    NamedQuery(
      name: "expert-bytes",
      summary: "expert weights read for a request, by policy, against the most that any policy reads",
      sql: """
        SELECT model, trace, request_rate, policy, gb_per_request,
          gb_per_request / max(gb_per_request) OVER traffic AS of_the_most, mj_per_token
        FROM (
          SELECT model, trace, request_rate, policy,
            json_remove(config, '$.workload.seed', '$.cluster.pools[0].policy') AS same,
            profile_sha256, trace_sha256,
            hardware, engine, tensor_parallel_size, num_prompts,
            avg(expert_bytes_per_request) / 1e9 AS gb_per_request, avg(energy_per_token_mj) AS mj_per_token
          FROM runs WHERE run_id IN (SELECT max(run_id) FROM runs GROUP BY coalesce(config_hash, run_id))
          GROUP BY model, hardware, engine, tensor_parallel_size, trace, request_rate, num_prompts, policy,
            json_remove(config, '$.workload.seed'), profile_sha256, trace_sha256, results_revision)
        WINDOW traffic AS (
          PARTITION BY model, hardware, engine, tensor_parallel_size, trace, request_rate, num_prompts, same,
            profile_sha256, trace_sha256)
        ORDER BY model, trace, request_rate, gb_per_request DESC
        """),
    NamedQuery(
      name: "extrapolated", summary: "how much of each run lies outside what was measured, by kernel",
      sql: """
        SELECT run_id, policy, model, hardware, kernel, calls,
          1.0 * k.extrapolated_calls / calls AS extrapolated
        FROM kernels AS k JOIN runs USING (run_id)
        WHERE k.extrapolated_calls > 0 ORDER BY run_id, extrapolated DESC
        """),
    NamedQuery(
      name: "sizes", summary: "rows in each table",
      sql: """
        SELECT 'runs' AS "table", count(*) AS "rows" FROM runs
        UNION ALL SELECT 'requests', count(*) FROM requests
        UNION ALL SELECT 'iterations', count(*) FROM iterations
        UNION ALL SELECT 'iteration_strips', count(*) FROM iteration_strips
        UNION ALL SELECT 'spans', count(*) FROM spans
        UNION ALL SELECT 'kernels', count(*) FROM kernels
        UNION ALL SELECT 'iteration_kernels', count(*) FROM iteration_kernels
        """),
  ]
}
