extension NamedQuery {
  /// The statement that finds figures of runs that do not come out of their log.
  ///
  /// - Parameter isAboutOne: whether it is about the run `:run`, and leaves out what takes every iteration.
  /// - Returns: the statement: `run_id`, `figure`, `stored`, `logged`.
  static func check(ofARun isAboutOne: Bool) -> String {
    let run = isAboutOne ? "run_id = :run" : "1"
    let steps =
      isAboutOne
      ? "SELECT run_id, sum(steps) AS iterations, NULL AS joules FROM iteration_strips WHERE \(run) GROUP BY run_id"
      : "SELECT run_id, count(*) AS iterations, total(energy_j) AS joules FROM iterations GROUP BY run_id"
    return """
      WITH whole AS (
        SELECT * FROM runs WHERE \(run) AND config ->> '$.limits.measure_from' IS NULL
          AND config ->> '$.limits.measure_until' IS NULL
      ), served AS (
        SELECT run_id, count(*) FILTER (WHERE status = 'completed') AS completed,
          count(*) FILTER (WHERE status = 'rejected') AS rejected,
          count(*) FILTER (WHERE status = 'unfinished') AS unfinished,
          total(num_prefill_tokens) FILTER (WHERE status = 'completed') AS input,
          total(num_decode_tokens) FILTER (WHERE status = 'completed') AS output,
          avg(ttft_ms) FILTER (WHERE status = 'completed') AS ttft,
          avg(tpot_ms) FILTER (WHERE status = 'completed' AND num_decode_tokens > 1) AS tpot,
          avg(e2e_ms) FILTER (WHERE status = 'completed') AS e2el, total(num_preemptions) AS preemptions
        FROM requests WHERE \(run) GROUP BY run_id
      ), steps AS (
        \(steps)
      ), figures AS (
        SELECT run_id, 'completed' AS figure, completed AS stored,
          coalesce((SELECT completed FROM served s WHERE s.run_id = r.run_id), 0) AS logged FROM whole r
        UNION ALL SELECT run_id, 'rejected', r.rejected, s.rejected FROM whole r JOIN served s USING (run_id)
        UNION ALL SELECT run_id, 'unfinished', r.unfinished, s.unfinished FROM whole r JOIN served s USING (run_id)
        UNION ALL SELECT run_id, 'total_input_tokens', total_input_tokens, input FROM whole JOIN served USING (run_id)
        UNION ALL SELECT run_id, 'total_output_tokens', total_output_tokens, output FROM whole JOIN served USING (run_id)
        UNION ALL SELECT run_id, 'mean_ttft_ms', mean_ttft_ms, ttft FROM whole JOIN served USING (run_id)
        UNION ALL SELECT run_id, 'mean_tpot_ms', mean_tpot_ms, tpot FROM whole JOIN served USING (run_id)
        UNION ALL SELECT run_id, 'mean_e2el_ms', mean_e2el_ms, e2el FROM whole JOIN served USING (run_id)
        UNION ALL SELECT run_id, 'preemptions', r.preemptions, s.preemptions FROM whole r JOIN served s USING (run_id)
        UNION ALL SELECT run_id, 'iterations', r.iterations, s.iterations FROM whole r JOIN steps s USING (run_id)
        UNION ALL SELECT run_id, 'energy_j', energy_j - idle_energy_j, joules FROM whole JOIN steps USING (run_id)
          WHERE joules IS NOT NULL
      )
      SELECT run_id, figure, stored, logged FROM figures
      WHERE stored IS NOT NULL AND coalesce(abs(stored - coalesce(logged, 0)) > 1e-9 * abs(stored) + 1e-9, 1)
      ORDER BY run_id, figure
      """
  }
}

extension ResultReader {
  /// Figures of a run that do not come out of its log: something was changed, or damaged.
  ///
  /// - Parameter run: its number.
  /// - Returns: names of figures; none where all is well.
  /// - Throws: `ResultStoreError`.
  /// - Complexity: O(n) for n requests.
  public func damage(ofRun run: Int64) throws(ResultStoreError) -> [String] {
    let found = try query(NamedQuery.check(ofARun: true), run: run)
    return found.rows.compactMap { if case .text(let name) = $0[1] { name } else { nil } }
  }
}
