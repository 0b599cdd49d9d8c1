extension Schema {
  /// The tables of version 3: `iterations` becomes a view of strips.
  ///
  /// Most of what logging iterations costs is rows and bytes, and successive iterations mostly differ in little. A
  /// strip is a row for up to sixteen of them, from which each comes back to the last bit. The rows of older
  /// databases become strips of one; then the table makes room for the view.
  static let tables3 = """
    -- Successive iterations of a replica; the view `iterations` has them one by one. Lane i is iteration
    -- first_iter + i, for i < steps. What has no lanes of its own is the same in all of them, or a step further in
    -- each. An iteration begins as the one before it ends.
    CREATE TABLE iteration_strips (
      run_id INTEGER NOT NULL,
      replica INTEGER NOT NULL,
      first_iter INTEGER NOT NULL,     -- rank among the iterations of the replica, from 0
      steps INTEGER NOT NULL,          -- how many iterations, 1 to 16
      t_start REAL NOT NULL,           -- s, of lane 0
      batch_size INTEGER NOT NULL,     -- sequences: those that decode, and prompts
      num_prefill_tokens INTEGER NOT NULL,
      num_decode_tokens INTEGER NOT NULL,
      layer_begin INTEGER NOT NULL,    -- of lane 0; layers that carry prefill, half-open; equal if none does
      layer_end INTEGER NOT NULL,      -- of lane 0
      layer_step INTEGER NOT NULL,     -- by which both grow from lane to lane
      experts_touched REAL NOT NULL,   -- distinct experts read, summed over layers
      expert_bytes INTEGER NOT NULL,   -- expert weights read, all GPUs, by each
      weight_bytes INTEGER NOT NULL,   -- other weights read, by each
      kv_bytes INTEGER NOT NULL,       -- of lane 0; KV entries read and written
      kv_bytes_step INTEGER NOT NULL,  -- by which they grow from lane to lane
      activation_bytes INTEGER NOT NULL,   -- activations, and exchange between GPUs, by each
      queue_len INTEGER NOT NULL,      -- requests that wait for admission, at the start of each
      -- When each ended, s.
    \(columns("t_end", "REAL")),
      -- Energy of each, all GPUs.
    \(columns("energy_j", "REAL")),
      -- Time in kernels of each.
    \(columns("kernel_s", "REAL")),
      -- KV blocks used by each.
    \(columns("kv_blocks_used", "INTEGER")),
      PRIMARY KEY (run_id, replica, first_iter)
    ) WITHOUT ROWID;

    INSERT INTO iteration_strips (
      run_id, replica, first_iter, steps, t_start, batch_size, num_prefill_tokens, num_decode_tokens,
      layer_begin, layer_end, layer_step, experts_touched, expert_bytes, weight_bytes, kv_bytes, kv_bytes_step,
      activation_bytes, queue_len, t_end_0, energy_j_0, kernel_s_0, kv_blocks_used_0)
    SELECT run_id, replica, iter, 1, t_start, batch_size, num_prefill_tokens, num_decode_tokens,
      layer_begin, layer_end, 0, experts_touched, expert_bytes, weight_bytes, kv_bytes, 0,
      activation_bytes, queue_len, t_end, energy_j, kernel_s, kv_blocks_used
    FROM iterations;

    DROP TABLE iterations;

    -- The numbers of the lanes.
    CREATE TABLE lanes (lane INTEGER PRIMARY KEY);

    INSERT INTO lanes VALUES \(lanes.map { "(\($0))" }.joined(separator: ", "));

    DROP TRIGGER forget_run;

    CREATE TRIGGER forget_run AFTER DELETE ON runs BEGIN
      DELETE FROM requests WHERE run_id = OLD.run_id;
      DELETE FROM iteration_strips WHERE run_id = OLD.run_id;
      DELETE FROM spans WHERE run_id = OLD.run_id;
      DELETE FROM kernels WHERE run_id = OLD.run_id;
      DELETE FROM iteration_kernels WHERE run_id = OLD.run_id;
    END;

    """

  /// The lanes of a strip.
  package static let lanes = 0..<IterationStrip.capacity

  /// The declarations of a quantity's lanes, a few to a line; lane 0 is always there.
  private static func columns(_ name: String, _ type: String) -> String {
    lines(lanes.map { "\(name)_\($0) \(type)" + ($0 == 0 ? " NOT NULL" : "") }, separator: ",", indent: 2)
  }

  /// Joins pieces of SQL, four to a line.
  static func lines(_ pieces: [String], separator: String, indent: Int) -> String {
    stride(from: 0, to: pieces.count, by: 4).map { first in
      String(repeating: " ", count: indent)
        + pieces[first..<min(first + 4, pieces.count)].joined(separator: separator + " ")
    }.joined(separator: separator + "\n")
  }
}
