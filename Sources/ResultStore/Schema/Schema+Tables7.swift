import Foundation

extension Schema {
  /// The tables of version 7: what was worked out by generated columns becomes ordinary ones, which every reader of SQLite files
  /// knows, and percentiles are stored with a run.
  ///
  /// The view `percentiles` of earlier versions, which reads every token, is `log_percentiles` now.
  static let tables7 = """
    DROP VIEW vidur_requests;
    DROP VIEW vllm_metrics;
    DROP VIEW percentiles;
    DROP VIEW latencies;
    DROP TRIGGER forget_run;

    CREATE TABLE requests_7 (
      run_id INTEGER NOT NULL,
      request_id INTEGER NOT NULL,     -- position in the workload, from 0
      instance INTEGER NOT NULL,       -- that served it, from 0
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
      ttft_ms REAL,
      tpot_ms REAL,
      itl_mean_ms REAL,                -- the mean gap of one request is its TPOT
      e2e_ms REAL,
      scheduling_delay_ms REAL,
      cached_tokens INTEGER,           -- prompt tokens found in the prefix cache
      PRIMARY KEY (run_id, request_id)
    ) WITHOUT ROWID;

    INSERT INTO requests_7 SELECT run_id, request_id, instance, status, arrived_at, num_prefill_tokens, num_decode_tokens,
      scheduled_at, first_token_at, completed_at, itl_max_ms, num_preemptions, energy_j, expert_bytes, ttft_ms, tpot_ms,
      itl_mean_ms, e2e_ms, scheduling_delay_ms, cached_tokens FROM requests;

    DROP TABLE requests;
    ALTER TABLE requests_7 RENAME TO requests;

    \(generated4.map { "ALTER TABLE runs DROP COLUMN \($0.name);\nALTER TABLE runs ADD COLUMN \($0.name) \($0.type);" }
      .joined(separator: "\n"))

    UPDATE runs SET \(configured);

    CREATE TABLE percentiles (
      run_id INTEGER NOT NULL,
      metric TEXT NOT NULL,            -- ttft, tpot, itl or e2el
      samples INTEGER,
      mean_ms REAL,
      std_ms REAL,
      min_ms REAL,
      p50_ms REAL,
      p90_ms REAL,
      p95_ms REAL,
      p99_ms REAL,
      max_ms REAL,
      PRIMARY KEY (run_id, metric)
    ) WITHOUT ROWID;

    \(["ttft", "tpot", "itl", "e2el"].map { metric in
      """
      INSERT INTO percentiles (run_id, metric, mean_ms, std_ms, p50_ms, p99_ms)
      SELECT run_id, '\(metric)', mean_\(metric)_ms, std_\(metric)_ms, median_\(metric)_ms, p99_\(metric)_ms FROM runs
      WHERE mean_\(metric)_ms IS NOT NULL;
      """
    }.joined(separator: "\n"))

    CREATE TRIGGER forget_run AFTER DELETE ON runs BEGIN
      DELETE FROM instances WHERE run_id = OLD.run_id;
      DELETE FROM requests WHERE run_id = OLD.run_id;
      DELETE FROM percentiles WHERE run_id = OLD.run_id;
      DELETE FROM iteration_strips WHERE run_id = OLD.run_id;
      DELETE FROM spans WHERE run_id = OLD.run_id;
      DELETE FROM kernels WHERE run_id = OLD.run_id;
      DELETE FROM iteration_kernels WHERE run_id = OLD.run_id;
    END;


    """

  /// Assignments of the columns of `runs` that are parts of its configuration.
  static var configured: String { generated4.map { "\($0.name) = \($0.expression)" }.joined(separator: ", ") }

  /// The views of version 7: those of version 1 on requests, of which one goes by another name.
  static let views7 = {
    let views = requestViews.components(separatedBy: "\n\n").filter {
      !$0.contains("CREATE VIEW token_gaps") && !$0.contains("CREATE VIEW request_itl")
    }
    return views.joined(separator: "\n\n")
      .replacing("CREATE VIEW percentiles AS", with: "CREATE VIEW log_percentiles AS")
      .replacing("FROM percentiles", with: "FROM log_percentiles")
  }()
}
