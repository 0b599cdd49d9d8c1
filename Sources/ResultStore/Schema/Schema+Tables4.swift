extension Schema {
  /// The tables of version 4.
  ///
  /// A run's configuration becomes an experiment that can be run again, with numbers as numbers; what `extra` held for
  /// every run gets columns, as do the parameters of policies that runs are grouped by; replicas become instances.
  static let tables4 = """
    DROP VIEW vidur_batches;
    DROP VIEW vidur_requests;
    DROP VIEW vllm_metrics;
    DROP VIEW percentiles;
    DROP VIEW latencies;
    DROP VIEW request_itl;
    DROP VIEW token_gaps;
    DROP VIEW token_times;
    DROP VIEW iterations;
    DROP VIEW iteration_lanes;

    ALTER TABLE requests RENAME COLUMN replica TO instance;
    ALTER TABLE spans RENAME COLUMN replica TO instance;
    ALTER TABLE iteration_strips RENAME COLUMN replica TO instance;
    ALTER TABLE iteration_kernels RENAME COLUMN replica TO instance;

    \(figures4.map { "ALTER TABLE runs ADD COLUMN \($0.name) \($0.type);" }.joined(separator: "\n"))

    UPDATE runs SET \(figures4.map { "\($0.name) = \($0.expression)" }.joined(separator: ", ")),
      extra = \(reducedExtra), config = \(typedConfig);
    UPDATE capacities SET config = \(typedConfig);

    \(generated4.map { "ALTER TABLE runs ADD COLUMN \($0.name) \($0.type) AS (\($0.expression));" }
      .joined(separator: "\n"))

    CREATE TABLE instances (
      run_id INTEGER NOT NULL,
      instance INTEGER NOT NULL,       -- from 0
      pool TEXT,                       -- of equal instances
      model TEXT,
      hardware TEXT,
      engine TEXT,
      tensor_parallel_size INTEGER,
      policy TEXT,
      kv_blocks INTEGER,               -- that its KV memory holds
      max_num_seqs INTEGER,
      PRIMARY KEY (run_id, instance)
    ) WITHOUT ROWID;

    INSERT INTO instances SELECT run_id, 0, \(instanceColumns4) FROM runs;

    DROP TRIGGER forget_run;

    CREATE TRIGGER forget_run AFTER DELETE ON runs BEGIN
      DELETE FROM instances WHERE run_id = OLD.run_id;
      DELETE FROM requests WHERE run_id = OLD.run_id;
      DELETE FROM iteration_strips WHERE run_id = OLD.run_id;
      DELETE FROM spans WHERE run_id = OLD.run_id;
      DELETE FROM kernels WHERE run_id = OLD.run_id;
      DELETE FROM iteration_kernels WHERE run_id = OLD.run_id;
    END;

    """

  /// A column, and what it is worked out from.
  struct Column {
    let name: String
    let type: String
    let expression: String
  }

  /// Columns of `runs` for what had none.
  static let figures4 = [
    Column(name: "results_revision", type: "INTEGER", expression: "config ->> '$.results_revision'"),
    Column(name: "unfinished", type: "INTEGER", expression: "extra ->> '$.unfinished'"),
    Column(
      name: "max_output_tokens_per_s", type: "INTEGER", expression: "extra ->> '$.max_output_tokens_per_s'"),
    Column(
      name: "max_concurrent_requests", type: "INTEGER", expression: "extra ->> '$.max_concurrent_requests'"),
  ]

  /// Columns of `runs` that are parts of its configuration.
  static let generated4 = [
    Column(name: "policy_name", type: "TEXT", expression: "config ->> '$.cluster.pools[0].policy.name'"),
    Column(name: "budget", type: "INTEGER", expression: "config ->> '$.cluster.pools[0].policy.budget'"),
    Column(name: "stages", type: "INTEGER", expression: "config ->> '$.cluster.pools[0].policy.stages'"),
    Column(name: "chunk", type: "INTEGER", expression: "config ->> '$.cluster.pools[0].policy.chunk'"),
    Column(name: "max_duration", type: "REAL", expression: "config ->> '$.limits.max_duration'"),
  ]

  /// The columns of `instances` but for its key, of a run of one instance.
  static let instanceColumns4 = """
    'all' AS pool, model, hardware, engine, tensor_parallel_size, policy, kv_blocks,
    config ->> '$.cluster.pools[0].system.max_num_seqs' AS max_num_seqs
    """

  /// The columns of `runs` up to version 3, but for `config` and `extra`.
  static let runColumns3 = """
    run_id, created_at, version, argv, config_hash, profile_sha256, trace_sha256, policy, model, hardware, engine, trace,
    seed, request_rate, num_prompts, tensor_parallel_size, log_level, wall_s, duration, completed, failed,
    total_input_tokens, total_output_tokens, request_throughput, request_goodput, output_throughput,
    total_token_throughput, mean_ttft_ms, median_ttft_ms, std_ttft_ms, p99_ttft_ms, mean_tpot_ms, median_tpot_ms,
    std_tpot_ms, p99_tpot_ms, mean_itl_ms, median_itl_ms, std_itl_ms, p99_itl_ms, mean_e2el_ms, median_e2el_ms,
    std_e2el_ms, p99_e2el_ms, slo_attainment, slo_attainment_ttft, slo_attainment_tbt, energy_j, idle_energy_j,
    energy_per_token_mj, energy_per_output_token_mj, energy_quality, expert_bytes, expert_bytes_per_request, iterations,
    mean_iteration_ms, mean_decode_batch, mean_in_system, preemptions, rejected, kernel_calls,
    extrapolated_kernel_calls, kv_blocks
    """

  /// `extra` without what has columns.
  static let reducedExtra = """
    nullif(json_remove(extra, '$.unfinished', '$.max_output_tokens_per_s', '$.max_concurrent_requests',
      '$.max_duration'), '{}')
    """

  /// The experiment of a run of version 3 or before, whose configuration was a flat object with many numbers as texts.
  ///
  /// Every setting of the engine and the GPU was in it: they become overrides of the descriptors, whatever these say
  /// today. The share of memory was not, but what follows from it: the number of KV blocks.
  static let typedConfig = """
    CASE WHEN config IS NOT NULL THEN json_object(
      'workload', json_object(
        'trace', config ->> '$.trace', 'arrivals', config ->> '$.arrivals',
        'request_rate', config ->> '$.request_rate',
        -- Poisson gaps have no shape to choose.
        'burstiness', CASE config ->> '$.arrivals' WHEN 'gamma' THEN config ->> '$.burstiness' END,
        'time_scale', config ->> '$.time_scale', 'num_prompts', config ->> '$.num_prompts',
        'shuffle', json(iif(config ->> '$.shuffle' = 1, 'true', 'false')), 'seed', coalesce(config ->> '$.seed', 0)),
      'cluster', json_object('pools', json_array(json_object(
        'name', 'all', 'instances', 1,
        'system', json_object(
          'model', config ->> '$.model', 'hardware', config ->> '$.hardware', 'engine', config ->> '$.engine',
          'engine_settings', json(\(overrides("engine."))), 'hardware_settings', json(\(overrides("hardware."))),
          'tensor_parallel_size', config ->> '$.tensor_parallel_size',
          'kv_blocks', config ->> '$.kv_blocks', 'max_num_seqs', config ->> '$.max_num_seqs', 'max_model_len', config ->> '$.max_model_len',
          'routing', config ->> '$.routing',
          'draw_routing', json(iif(config ->> '$.draw_routing' = 1, 'true', 'false'))),
        'policy', json(\(policyObject))))),
      'objective', json_object(
        'ttft_s', config ->> '$.slo_ttft_ms' / 1000.0, 'tbt_s', config ->> '$.slo_tbt_ms' / 1000.0,
        'tpot_s', config ->> '$.slo_tpot_ms' / 1000.0, 'e2el_s', config ->> '$.slo_e2el_ms' / 1000.0),
      'limits', json_object(
        'max_concurrency', config ->> '$.max_concurrency', 'max_duration', config ->> '$.max_duration')) END
    """

  /// The settings of a descriptor: members whose names have a prefix and whose values are texts.
  private static func overrides(_ prefix: String) -> String {
    """
    (SELECT json_group_object(substr(key, \(prefix.count + 1)), CASE
        WHEN atom IN ('true', 'false') THEN json(atom)
        WHEN atom GLOB '*,*' THEN json('[' || atom || ']')
        WHEN atom GLOB '[-0-9]*' THEN CAST(atom AS REAL)
        ELSE atom END)
      FROM json_each(config) WHERE key GLOB '\(prefix)*')
    """
  }

  /// `layered[stages=8,groups=paper]` as an object.
  private static let policyObject = """
    (SELECT json_group_object(key, CASE WHEN atom GLOB '[0-9]*' THEN CAST(atom AS INTEGER) ELSE atom END)
      FROM json_each(iif(instr(policy, '['),
        '{"name":"' || replace(replace(replace(rtrim(policy, ']'), ',', '","'), '[', '","'), '=', '":"') || '"}',
        json_object('name', policy))))
    """
}
