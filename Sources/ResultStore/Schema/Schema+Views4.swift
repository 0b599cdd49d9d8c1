extension Schema {
  /// The views of version 4: those of version 3, with instances instead of replicas.
  static let views4 = """
    -- One row for each iteration, and where it is kept. What is sorted by iteration, or looked up by it, is so in
    -- no time by first_iter and lane.
    CREATE VIEW iteration_lanes AS
    SELECT k.run_id, k.instance, k.first_iter, l.lane, k.first_iter + l.lane AS iter,
      CASE l.lane
    \(cases("t_end", after: "t_start"))
      END AS t_start,
      CASE l.lane
    \(cases("t_end"))
      END AS t_end,
      k.batch_size, k.num_prefill_tokens, k.num_decode_tokens,
      k.layer_begin + l.lane * k.layer_step AS layer_begin, k.layer_end + l.lane * k.layer_step AS layer_end,
      k.experts_touched, k.expert_bytes, k.weight_bytes,
      k.kv_bytes + l.lane * k.kv_bytes_step AS kv_bytes, k.activation_bytes,
      CASE l.lane
    \(cases("energy_j"))
      END AS energy_j,
      CASE l.lane
    \(cases("kernel_s"))
      END AS kernel_s,
      CASE l.lane
    \(cases("kv_blocks_used"))
      END AS kv_blocks_used,
      k.queue_len
    FROM iteration_strips AS k CROSS JOIN lanes AS l ON l.lane < k.steps;

    -- One row for each iteration of each instance.
    CREATE VIEW iterations AS
    SELECT run_id, instance, iter, t_start, t_end, batch_size, num_prefill_tokens, num_decode_tokens,
      layer_begin, layer_end, experts_touched, expert_bytes, weight_bytes, kv_bytes, activation_bytes,
      energy_j, kernel_s, kv_blocks_used, queue_len
    FROM iteration_lanes;

    -- The moment at which each token was out.
    CREATE VIEW token_times AS
    SELECT s.run_id, s.request_id,
      CASE l.lane
    \(cases("t_end"))
      END AS t
    FROM spans AS s
    CROSS JOIN iteration_strips AS k
      ON k.run_id = s.run_id AND k.instance = s.instance
      AND k.first_iter BETWEEN
        CASE s.phase WHEN 'decode' THEN s.first_iter ELSE s.last_iter END - \(lanes.upperBound - 1)
        AND s.last_iter
    CROSS JOIN lanes AS l
      ON l.lane BETWEEN
        CASE s.phase WHEN 'decode' THEN s.first_iter ELSE s.last_iter END - k.first_iter
        AND min(s.last_iter - k.first_iter, k.steps - 1)
    WHERE CASE s.phase WHEN 'decode' THEN k.num_decode_tokens > 0 ELSE s.completed END;


    """ + requestViews + """
      -- Vidur's names for what `iterations` has; times in seconds.
      CREATE VIEW vidur_batches AS
      SELECT run_id, instance AS replica_id, iter AS batch_id, batch_size,
        num_prefill_tokens + num_decode_tokens AS batch_num_tokens,
        num_prefill_tokens AS batch_num_prefill_tokens, num_decode_tokens AS batch_num_decode_tokens,
        t_end - t_start AS batch_execution_time
      FROM iterations;
      """

  /// What queries of today find missing in databases before version 4, as views that last as long as a connection.
  ///
  /// Before version 3 each iteration was a row of its own.
  static func temporaryViews(version: Int) -> String {
    let iterations = """
      t_start, t_end, batch_size, num_prefill_tokens, num_decode_tokens, layer_begin, layer_end, experts_touched,
      expert_bytes, weight_bytes, kv_bytes, activation_bytes, energy_j, kernel_s, kv_blocks_used, queue_len
      """
    let tables = """
      CREATE TEMP VIEW requests AS
      SELECT run_id, request_id, replica AS instance, status, arrived_at, num_prefill_tokens, num_decode_tokens,
        scheduled_at, first_token_at, completed_at, itl_max_ms, num_preemptions, energy_j, expert_bytes, ttft_ms, tpot_ms,
        itl_mean_ms, e2e_ms, scheduling_delay_ms
      FROM main.requests;

      CREATE TEMP VIEW spans AS
      SELECT run_id, request_id, replica AS instance, first_iter, last_iter, phase, completed FROM main.spans;

      CREATE TEMP VIEW iteration_kernels AS
      SELECT run_id, replica AS instance, iter, kernel, calls, extrapolated_calls, kernel_s, energy_j, flops, bytes
      FROM main.iteration_kernels;

      CREATE TEMP VIEW iterations AS
      SELECT run_id, replica AS instance, iter, \(iterations) FROM main.iterations;
      """
    let strips =
      version < 3
      ? """
      CREATE TEMP VIEW iteration_strips AS
      SELECT run_id, replica AS instance, iter AS first_iter, 1 AS steps FROM main.iterations;

      CREATE TEMP VIEW iteration_lanes AS
      SELECT run_id, replica AS instance, iter AS first_iter, 0 AS lane, iter, \(iterations) FROM main.iterations;
      """
      : """
      CREATE TEMP VIEW iteration_strips AS
      SELECT *, replica AS instance FROM main.iteration_strips;

      CREATE TEMP VIEW iteration_lanes AS
      SELECT run_id, replica AS instance, first_iter, lane, iter, \(iterations) FROM main.iteration_lanes;
      """
    let runs = """
      CREATE TEMP VIEW runs AS
      SELECT *, \(generated4.map { "\($0.expression) AS \($0.name)" }.joined(separator: ", "))
      FROM (
        SELECT \(runColumns3), \(typedConfig) AS config, \(reducedExtra) AS extra,
          \(figures4.map { "\($0.expression) AS \($0.name)" }.joined(separator: ", "))
        FROM main.runs);

      CREATE TEMP VIEW instances AS
      SELECT run_id, 0 AS instance, \(instanceColumns4) FROM runs;
      """
    return [tables, strips, runs].joined(separator: "\n")
  }
}
