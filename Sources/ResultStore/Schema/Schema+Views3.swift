extension Schema {
  /// The views that version 3 adds or changes; those that read them stay as they are.
  ///
  /// The order of the joins is fixed (`CROSS JOIN`), so that conditions on the key of a strip reach its table, and
  /// conditions on the lane its number: SQLite cannot know that there are many strips and few lanes.
  static let views3 = """
    -- One row for each iteration, and where it is kept. What is sorted by iteration, or looked up by it, is so in
    -- no time by first_iter and lane.
    CREATE VIEW iteration_lanes AS
    SELECT k.run_id, k.replica, k.first_iter, l.lane, k.first_iter + l.lane AS iter,
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

    -- One row for each iteration of each replica.
    CREATE VIEW iterations AS
    SELECT run_id, replica, iter, t_start, t_end, batch_size, num_prefill_tokens, num_decode_tokens,
      layer_begin, layer_end, experts_touched, expert_bytes, weight_bytes, kv_bytes, activation_bytes,
      energy_j, kernel_s, kv_blocks_used, queue_len
    FROM iteration_lanes;

    DROP VIEW token_times;

    -- The moment at which each token was out.
    CREATE VIEW token_times AS
    SELECT s.run_id, s.request_id,
      CASE l.lane
    \(cases("t_end"))
      END AS t
    FROM spans AS s
    CROSS JOIN iteration_strips AS k
      ON k.run_id = s.run_id AND k.replica = s.replica
      AND k.first_iter BETWEEN
        CASE s.phase WHEN 'decode' THEN s.first_iter ELSE s.last_iter END - \(lanes.upperBound - 1)
        AND s.last_iter
    CROSS JOIN lanes AS l
      ON l.lane BETWEEN
        CASE s.phase WHEN 'decode' THEN s.first_iter ELSE s.last_iter END - k.first_iter
        AND min(s.last_iter - k.first_iter, k.steps - 1)
    WHERE CASE s.phase WHEN 'decode' THEN k.num_decode_tokens > 0 ELSE s.completed END;

    """

  /// The branches that pick a quantity's lane, or the one before, ahead of which comes `start`.
  static func cases(_ name: String, after start: String? = nil) -> String {
    lines(
      lanes.map { lane in
        guard let start else { return "WHEN \(lane) THEN \(name)_\(lane)" }
        return "WHEN \(lane) THEN " + (lane == 0 ? start : "\(name)_\(lane - 1)")
      }, separator: "", indent: 4)
  }
}
