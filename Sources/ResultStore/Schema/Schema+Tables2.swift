extension Schema {
  /// The table that version 2 adds.
  static let tables2 = """
    CREATE TABLE capacities (
      capacity_id INTEGER PRIMARY KEY AUTOINCREMENT,
      created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
      version TEXT,                    -- of this program
      argv TEXT,                       -- the command line
      config TEXT,                     -- every parameter but rate and seed, as JSON
      policy TEXT,
      model TEXT,
      hardware TEXT,
      engine TEXT,
      trace TEXT,
      tensor_parallel_size INTEGER,
      seeds TEXT,                      -- of the runs, with commas between them
      attainment_target REAL,          -- share of requests, 0 to 1
      max_watts REAL,                  -- null: no cap
      max_energy_per_token_mj REAL,    -- null: no cap
      tolerance REAL,                  -- request_rate_failing over request_rate, less 1, at most
      request_rate REAL,               -- the capacity, requests/s; null: there is none
      request_rate_failing REAL,       -- the least rate known to be too much
      request_rate_low REAL,           -- 95 % interval of the mean of the seeds' own capacities
      request_rate_high REAL,
      limited_by TEXT,                 -- what fails beyond: a latency, attainment, watts, energy or memory
      slo_attainment REAL,             -- at the capacity, mean over seeds, as are the next two
      mean_watts REAL,
      energy_per_token_mj REAL,
      runs INTEGER                     -- that the search looked at
    );

    """
}
