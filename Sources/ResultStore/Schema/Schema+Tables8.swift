extension Schema {
  /// The table that version 8 adds.
  static let tables8 = """
    CREATE TABLE plans (
      plan_id INTEGER PRIMARY KEY AUTOINCREMENT,
      created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
      version TEXT,                    -- of this program
      argv TEXT,                       -- the command line
      config TEXT,                     -- every parameter but rate, seed and instances, as JSON
      policy TEXT,
      model TEXT,
      hardware TEXT,
      engine TEXT,
      trace TEXT,
      tensor_parallel_size INTEGER,
      pipeline_parallel_size INTEGER,
      seeds TEXT,                      -- of the runs, with commas between them
      attainment_target REAL,          -- share of requests, 0 to 1
      max_watts REAL,                  -- null: no cap
      max_energy_per_token_mj REAL,    -- null: no cap
      tolerance REAL,                  -- of capacity
      request_rate REAL,               -- to be served, requests/s
      instances INTEGER,               -- that serve it; null: no number of them does
      gpus INTEGER,                    -- of all instances
      capacity REAL,                   -- the largest rate that one instance holds by itself
      headroom REAL,                   -- what instances hold one by one beyond the rate, as a share of it
      utilisation REAL,                -- share of the time in which an instance computes
      limited_by TEXT,                 -- what fails beyond, or keeps the plan from existing
      slo_attainment REAL,             -- at the rate, mean over seeds, as are the next three
      mean_watts REAL,
      kwh_per_day REAL,
      energy_per_token_mj REAL,
      gpu_price REAL,                  -- of a GPU for an hour; null: not given
      cost_per_hour REAL,
      cost_per_million_tokens REAL
    );

    """

  /// The table as a database of an older version has it: empty.
  static let noPlans = """
    CREATE TEMP VIEW plans AS
    SELECT NULL AS plan_id, NULL AS created_at, NULL AS version, NULL AS argv, NULL AS config, NULL AS policy,
      NULL AS model, NULL AS hardware, NULL AS engine, NULL AS trace, NULL AS tensor_parallel_size,
      NULL AS pipeline_parallel_size, NULL AS seeds, NULL AS attainment_target, NULL AS max_watts,
      NULL AS max_energy_per_token_mj, NULL AS tolerance, NULL AS request_rate, NULL AS instances, NULL AS gpus,
      NULL AS capacity, NULL AS headroom, NULL AS utilisation, NULL AS limited_by, NULL AS slo_attainment,
      NULL AS mean_watts, NULL AS kwh_per_day, NULL AS energy_per_token_mj, NULL AS gpu_price, NULL AS cost_per_hour,
      NULL AS cost_per_million_tokens
    WHERE 0;
    """
}
