extension Schema {
  /// The tables of version 1.
  ///
  /// The large tables are `WITHOUT ROWID`, clustered by run: rows of a run lie together in the order that
  /// queries want them, without a second B-tree. Comments are kept by SQLite and shown by `.schema`.
  static let tables1 = """
    CREATE TABLE runs (
      run_id INTEGER PRIMARY KEY AUTOINCREMENT,
      created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
      version TEXT,                    -- of this program
      argv TEXT,                       -- the command line
      config TEXT,                     -- every parameter, as JSON
      config_hash TEXT,
      profile_sha256 TEXT,
      trace_sha256 TEXT,
      policy TEXT,
      model TEXT,
      hardware TEXT,
      engine TEXT,
      trace TEXT,
      seed INTEGER,
      request_rate REAL,               -- requests/s; Inf: all at once
      num_prompts INTEGER,
      tensor_parallel_size INTEGER,
      log_level TEXT,                  -- requests, iterations or kernels
      wall_s REAL,                     -- real time that the simulation took
      duration REAL,                   -- simulated s
      completed INTEGER,               -- requests
      failed INTEGER,                  -- requests
      total_input_tokens INTEGER,
      total_output_tokens INTEGER,
      request_throughput REAL,         -- requests/s
      request_goodput REAL,            -- requests/s that meet the SLO
      output_throughput REAL,          -- tokens/s
      total_token_throughput REAL,     -- tokens/s
      mean_ttft_ms REAL, median_ttft_ms REAL, std_ttft_ms REAL, p99_ttft_ms REAL,
      mean_tpot_ms REAL, median_tpot_ms REAL, std_tpot_ms REAL, p99_tpot_ms REAL,
      mean_itl_ms REAL, median_itl_ms REAL, std_itl_ms REAL, p99_itl_ms REAL,
      mean_e2el_ms REAL, median_e2el_ms REAL, std_e2el_ms REAL, p99_e2el_ms REAL,
      slo_attainment REAL,             -- share of requests, 0 to 1
      slo_attainment_ttft REAL,
      slo_attainment_tbt REAL,
      energy_j REAL,
      idle_energy_j REAL,
      energy_per_token_mj REAL,
      energy_per_output_token_mj REAL,
      energy_quality TEXT,             -- where the energy figures come from
      expert_bytes REAL,
      expert_bytes_per_request REAL,
      iterations INTEGER,
      mean_iteration_ms REAL,
      mean_decode_batch REAL,          -- sequences
      mean_in_system REAL,             -- requests
      preemptions INTEGER,
      rejected INTEGER,                -- requests
      kernel_calls INTEGER,
      extrapolated_kernel_calls INTEGER,
      kv_blocks INTEGER,               -- that KV memory holds
      extra TEXT                       -- what has no column of its own, as a JSON object
    );

    CREATE TABLE requests (
      run_id INTEGER NOT NULL,
      request_id INTEGER NOT NULL,     -- position in the workload, from 0
      replica INTEGER NOT NULL,        -- the instance that served it, from 0
      status TEXT NOT NULL,            -- completed, rejected or unfinished
      arrived_at REAL NOT NULL,        -- s since the start of the run, as are all times
      num_prefill_tokens INTEGER NOT NULL,
      num_decode_tokens INTEGER NOT NULL,  -- output length, the first token included
      scheduled_at REAL,
      first_token_at REAL,
      completed_at REAL,
      itl_max_ms REAL,
      num_preemptions INTEGER NOT NULL,
      energy_j REAL NOT NULL,          -- its share of its iterations
      expert_bytes INTEGER NOT NULL,   -- its share of its iterations
      ttft_ms REAL AS ((first_token_at - arrived_at) * 1000),
      tpot_ms REAL AS (
        CASE WHEN num_decode_tokens > 1
        THEN (completed_at - first_token_at) * 1000 / (num_decode_tokens - 1) END),
      itl_mean_ms REAL AS (tpot_ms),   -- the mean gap of one request is its TPOT
      e2e_ms REAL AS ((completed_at - arrived_at) * 1000),
      scheduling_delay_ms REAL AS ((scheduled_at - arrived_at) * 1000),
      PRIMARY KEY (run_id, request_id)
    ) WITHOUT ROWID;

    CREATE TABLE iterations (
      run_id INTEGER NOT NULL,
      replica INTEGER NOT NULL,
      iter INTEGER NOT NULL,           -- rank among the iterations of the replica, from 0
      t_start REAL NOT NULL,           -- s
      t_end REAL NOT NULL,             -- s
      batch_size INTEGER NOT NULL,     -- sequences: those that decode, and prompts
      num_prefill_tokens INTEGER NOT NULL,
      num_decode_tokens INTEGER NOT NULL,
      layer_begin INTEGER NOT NULL,    -- layers that carry prefill, half-open; equal if none does
      layer_end INTEGER NOT NULL,
      experts_touched REAL NOT NULL,   -- distinct experts read, summed over layers
      expert_bytes INTEGER NOT NULL,   -- expert weights read, all GPUs
      weight_bytes INTEGER NOT NULL,   -- other weights read
      kv_bytes INTEGER NOT NULL,       -- KV entries read and written
      activation_bytes INTEGER NOT NULL,   -- activations, and exchange between GPUs
      energy_j REAL NOT NULL,          -- all GPUs
      kernel_s REAL NOT NULL,          -- time in kernels
      kv_blocks_used INTEGER NOT NULL,
      queue_len INTEGER NOT NULL,      -- requests that wait for admission, at its start
      PRIMARY KEY (run_id, replica, iter)
    ) WITHOUT ROWID;

    CREATE TABLE spans (
      run_id INTEGER NOT NULL,
      request_id INTEGER NOT NULL,
      replica INTEGER NOT NULL,
      first_iter INTEGER NOT NULL,
      last_iter INTEGER NOT NULL,      -- inclusive
      phase TEXT NOT NULL,             -- prefill or decode
      completed INTEGER NOT NULL,      -- 0: a prefill that a preemption cut short, which emits no token
      PRIMARY KEY (run_id, request_id, replica, first_iter, phase)
    ) WITHOUT ROWID;

    CREATE TABLE kernels (
      run_id INTEGER NOT NULL,
      kernel TEXT NOT NULL,
      calls INTEGER NOT NULL,          -- launches on one GPU
      extrapolated_calls INTEGER NOT NULL, -- launches outside of what was measured
      kernel_s REAL NOT NULL,          -- on one GPU
      energy_j REAL NOT NULL,          -- above idle, all GPUs
      flops REAL NOT NULL,             -- all GPUs
      bytes REAL NOT NULL,             -- all GPUs
      PRIMARY KEY (run_id, kernel)
    ) WITHOUT ROWID;

    CREATE TABLE iteration_kernels (
      run_id INTEGER NOT NULL,
      replica INTEGER NOT NULL,
      iter INTEGER NOT NULL,
      kernel TEXT NOT NULL,
      calls INTEGER NOT NULL,
      extrapolated_calls INTEGER NOT NULL,
      kernel_s REAL NOT NULL,
      energy_j REAL NOT NULL,
      flops REAL NOT NULL,
      bytes REAL NOT NULL,
      PRIMARY KEY (run_id, replica, iter, kernel)
    ) WITHOUT ROWID;

    CREATE TRIGGER forget_run AFTER DELETE ON runs BEGIN
      DELETE FROM requests WHERE run_id = OLD.run_id;
      DELETE FROM iterations WHERE run_id = OLD.run_id;
      DELETE FROM spans WHERE run_id = OLD.run_id;
      DELETE FROM kernels WHERE run_id = OLD.run_id;
      DELETE FROM iteration_kernels WHERE run_id = OLD.run_id;
    END;

    """
}
