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
      name: "plans",
      summary: "what sim plan found: how many GPUs of which kind serve a rate, and at what cost",
      sql: """
        SELECT plan_id, request_rate, model, hardware, tensor_parallel_size AS tp, pipeline_parallel_size AS pp,
          policy, trace, instances, gpus, capacity, headroom, utilisation, limited_by, slo_attainment,
          kwh_per_day, energy_per_token_mj, cost_per_hour, cost_per_million_tokens
        FROM plans ORDER BY plan_id
        """),
    NamedQuery(
      name: "check",
      summary: "figures that do not come out of a run's own log: none where nothing was changed or damaged",
      sql: check(ofARun: false)),
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
