extension Schema {
  /// The views of version 1.
  ///
  /// A percentile is numpy's default: linear interpolation between the two closest ranks. Rank k (from 0) of
  /// n has the weight max(0, 1 - |(n - 1)q - k|) in the quantile q.
  ///
  /// SQLite hands a condition on `run_id` down through a view whose only window is partitioned by it, but not
  /// through `GROUP BY` nor two windows. So there is one window to a SELECT, always over its whole partition,
  /// and the first row of each partition is what stays.
  static let views1 = tokenTimes1 + requestViews + vidurBatches1

  private static let tokenTimes1 = """
    -- The moment at which each token was out.
    CREATE VIEW token_times AS
    SELECT s.run_id, s.request_id, i.t_end AS t
    FROM spans AS s CROSS JOIN iterations AS i
      ON i.run_id = s.run_id AND i.replica = s.replica
      AND i.iter BETWEEN CASE s.phase WHEN 'decode' THEN s.first_iter ELSE s.last_iter END AND s.last_iter
    WHERE CASE s.phase WHEN 'decode' THEN i.num_decode_tokens > 0 ELSE s.completed END;


    """

  /// The views on requests and their tokens, which have been the same since version 1.
  static let requestViews = """
    -- Each token of each request, from 0, and its distance from the one before; the first has none.
    CREATE VIEW token_gaps AS
    SELECT run_id, request_id, row_number() OVER request - 1 AS token, t,
      (t - lag(t) OVER request) * 1000 AS gap_ms
    FROM token_times
    WINDOW request AS (PARTITION BY run_id, request_id ORDER BY t);

    -- The gaps of each request.
    CREATE VIEW request_itl AS
    SELECT run_id, request_id, itl_mean_ms, itl_p99_ms, itl_max_ms
    FROM (
      SELECT run_id, request_id, k, avg(gap_ms) OVER request AS itl_mean_ms,
        sum(gap_ms * max(0, 1 - abs((n - 1) * 0.99 - k))) OVER request AS itl_p99_ms,
        max(gap_ms) OVER request AS itl_max_ms
      FROM (
        SELECT run_id, request_id, gap_ms, row_number() OVER sorted - 1 AS k, count(*) OVER sorted AS n
        FROM token_gaps WHERE gap_ms IS NOT NULL
        WINDOW sorted AS (
          PARTITION BY run_id, request_id ORDER BY gap_ms
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
      WINDOW request AS (
        PARTITION BY run_id, request_id ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
    WHERE k = 0;

    -- Every sample of every latency metric.
    CREATE VIEW latencies AS
    SELECT run_id, 'ttft' AS metric, ttft_ms AS value_ms FROM requests WHERE status = 'completed'
    UNION ALL
    SELECT run_id, 'tpot', tpot_ms FROM requests WHERE status = 'completed' AND num_decode_tokens > 1
    UNION ALL
    SELECT run_id, 'e2el', e2e_ms FROM requests WHERE status = 'completed'
    UNION ALL
    SELECT run_id, 'itl', gap_ms FROM token_gaps WHERE gap_ms IS NOT NULL;

    -- The distribution of each metric in each run, from its log.
    CREATE VIEW percentiles AS
    SELECT run_id, metric, n AS samples, mean_ms, std_ms, min_ms, p50_ms, p90_ms, p95_ms, p99_ms, max_ms
    FROM (
      SELECT run_id, metric, k, n, mean_ms,
        sqrt(sum((value_ms - mean_ms) * (value_ms - mean_ms)) OVER sample / n) AS std_ms,
        min(value_ms) OVER sample AS min_ms,
        sum(value_ms * max(0, 1 - abs((n - 1) * 0.50 - k))) OVER sample AS p50_ms,
        sum(value_ms * max(0, 1 - abs((n - 1) * 0.90 - k))) OVER sample AS p90_ms,
        sum(value_ms * max(0, 1 - abs((n - 1) * 0.95 - k))) OVER sample AS p95_ms,
        sum(value_ms * max(0, 1 - abs((n - 1) * 0.99 - k))) OVER sample AS p99_ms,
        max(value_ms) OVER sample AS max_ms
      FROM (
        SELECT run_id, metric, value_ms, row_number() OVER sorted - 1 AS k, count(*) OVER sorted AS n,
          avg(value_ms) OVER sorted AS mean_ms
        FROM latencies
        WINDOW sorted AS (
          PARTITION BY run_id, metric ORDER BY value_ms
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
      WINDOW sample AS (
        PARTITION BY run_id, metric ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
    WHERE k = 0;

    -- The latency keys of vLLM's benchmark, recomputed from the log; `runs` has the same columns.
    CREATE VIEW vllm_metrics AS
    SELECT run_id,
      mean_ttft_ms, median_ttft_ms, std_ttft_ms, p99_ttft_ms,
      mean_tpot_ms, median_tpot_ms, std_tpot_ms, p99_tpot_ms,
      mean_itl_ms, median_itl_ms, std_itl_ms, p99_itl_ms,
      mean_e2el_ms, median_e2el_ms, std_e2el_ms, p99_e2el_ms
    FROM (
      SELECT run_id, row_number() OVER run AS k,
        max(CASE metric WHEN 'ttft' THEN mean_ms END) OVER run AS mean_ttft_ms,
        max(CASE metric WHEN 'ttft' THEN p50_ms END) OVER run AS median_ttft_ms,
        max(CASE metric WHEN 'ttft' THEN std_ms END) OVER run AS std_ttft_ms,
        max(CASE metric WHEN 'ttft' THEN p99_ms END) OVER run AS p99_ttft_ms,
        max(CASE metric WHEN 'tpot' THEN mean_ms END) OVER run AS mean_tpot_ms,
        max(CASE metric WHEN 'tpot' THEN p50_ms END) OVER run AS median_tpot_ms,
        max(CASE metric WHEN 'tpot' THEN std_ms END) OVER run AS std_tpot_ms,
        max(CASE metric WHEN 'tpot' THEN p99_ms END) OVER run AS p99_tpot_ms,
        max(CASE metric WHEN 'itl' THEN mean_ms END) OVER run AS mean_itl_ms,
        max(CASE metric WHEN 'itl' THEN p50_ms END) OVER run AS median_itl_ms,
        max(CASE metric WHEN 'itl' THEN std_ms END) OVER run AS std_itl_ms,
        max(CASE metric WHEN 'itl' THEN p99_ms END) OVER run AS p99_itl_ms,
        max(CASE metric WHEN 'e2el' THEN mean_ms END) OVER run AS mean_e2el_ms,
        max(CASE metric WHEN 'e2el' THEN p50_ms END) OVER run AS median_e2el_ms,
        max(CASE metric WHEN 'e2el' THEN std_ms END) OVER run AS std_e2el_ms,
        max(CASE metric WHEN 'e2el' THEN p99_ms END) OVER run AS p99_e2el_ms
      FROM percentiles
      WINDOW run AS (
        PARTITION BY run_id ORDER BY metric ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
    WHERE k = 1;

    -- Vidur's names for what `requests` has; times in seconds.
    CREATE VIEW vidur_requests AS
    SELECT run_id, request_id, arrived_at,
      num_prefill_tokens AS request_num_prefill_tokens, num_decode_tokens AS request_num_decode_tokens,
      num_prefill_tokens + num_decode_tokens AS request_num_tokens, num_preemptions AS request_num_restarts,
      completed_at - arrived_at AS request_e2e_time, first_token_at - arrived_at AS prefill_e2e_time,
      scheduled_at - arrived_at AS request_scheduling_delay
    FROM requests WHERE status = 'completed';


    """

  private static let vidurBatches1 = """
    -- Vidur's names for what `iterations` has; times in seconds.
    CREATE VIEW vidur_batches AS
    SELECT run_id, replica AS replica_id, iter AS batch_id, batch_size,
      num_prefill_tokens + num_decode_tokens AS batch_num_tokens,
      num_prefill_tokens AS batch_num_prefill_tokens, num_decode_tokens AS batch_num_decode_tokens,
      t_end - t_start AS batch_execution_time
    FROM iterations;
    """
}
