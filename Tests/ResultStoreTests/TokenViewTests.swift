import Foundation
import GRDB
import ResultStore
import Testing

/// The views against `SampleRun`'s tokens, worked out by hand: request 0 at 1 2 4 7 8 9, request 1 at 4 5 7,
/// request 3 at 9.
struct TokenViewTests {
  let directory: TemporaryDirectory
  let reader: ResultReader

  init() throws {
    directory = try TemporaryDirectory()
    try SampleRun.write(to: directory.database)
    // Another run and another instance must not mix with the first.
    let writer = try RunWriter(path: directory.database)
    SampleRun.record(in: writer, instance: 3)
    _ = try writer.finish(RunRow())
    reader = try ResultReader(path: directory.database)
  }

  @Test(arguments: [1, 2]) func tokenGaps(run: Int) throws {
    let gaps = try reader.query(
      "SELECT request_id, token, t, gap_ms FROM token_gaps WHERE run_id = \(run) ORDER BY request_id, token")
    #expect(
      gaps.rows == [
        [0, 0, 1.0, nil], [0, 1, 2.0, 1_000.0], [0, 2, 4.0, 2_000.0], [0, 3, 7.0, 3_000.0],
        [0, 4, 8.0, 1_000.0],
        [0, 5, 9.0, 1_000.0],
        [1, 0, 4.0, nil], [1, 1, 5.0, 1_000.0], [1, 2, 7.0, 2_000.0],
        [3, 0, 9.0, nil],
      ])
  }

  @Test func everyCompletedRequestHasItsTokens() throws {
    let wrong = try reader.query(
      """
      SELECT r.run_id, r.request_id FROM requests r LEFT JOIN token_gaps g USING (run_id, request_id)
      WHERE status = 'completed' GROUP BY r.run_id, r.request_id
      HAVING count(g.t) <> num_decode_tokens OR min(g.t) <> first_token_at OR max(g.t) <> completed_at
        OR coalesce(max(gap_ms), 0) <> itl_max_ms
      """)
    #expect(wrong.rows == [])
  }

  @Test func gapsOfARequest() throws {
    let found = try reader.query("SELECT * FROM request_itl WHERE run_id = 1 ORDER BY request_id")
    #expect(found.rows.map { $0[1] } == [0, 1])
    // numpy.percentile([1000, 1000, 1000, 2000, 3000], 99), numpy.percentile([1000, 2000], 99)
    expect(found.rows[0], is: [1, 0, 1_600, 2_960, 3_000])
    expect(found.rows[1], is: [1, 1, 1_500, 1_990, 2_000])
  }

  @Test func percentiles() throws {
    let found = try reader.query("SELECT * FROM log_percentiles WHERE run_id = 1 ORDER BY metric")
    #expect(found.rows.map { $0[1] } == ["e2el", "itl", "tpot", "ttft"])
    // Values: 9000 6500 3000; 1000 x 4, 2000 x 2, 3000; 1600 1500; 1000 3500 3000.
    expect(
      found.rows[0].dropping(1),
      is: [1, 3, 18_500.0 / 3, deviation([9_000, 6_500, 3_000]), 3_000, 6_500, 8_500, 8_750, 8_950, 9_000])
    expect(
      found.rows[1].dropping(1),
      is: [
        1, 7, 11_000.0 / 7, deviation([1_000, 1_000, 1_000, 1_000, 2_000, 2_000, 3_000]), 1_000, 1_000, 2_400,
        2_700,
        2_940, 3_000,
      ])
    expect(found.rows[2].dropping(1), is: [1, 2, 1_550, 50, 1_500, 1_550, 1_590, 1_595, 1_599, 1_600])
    expect(
      found.rows[3].dropping(1),
      is: [1, 3, 2_500, deviation([1_000, 3_500, 3_000]), 1_000, 3_000, 3_400, 3_450, 3_490, 3_500])
  }

  @Test func namesOfVLLM() throws {
    let found = try reader.query(
      "SELECT mean_ttft_ms, median_tpot_ms, p99_itl_ms, std_tpot_ms, p99_e2el_ms FROM vllm_metrics WHERE run_id = 1"
    )
    expect(found.rows[0], is: [2_500, 1_550, 2_940, 50, 8_950])
  }

  @Test func namesOfVidur() throws {
    let requests = try reader.query(
      """
      SELECT request_id, request_e2e_time, prefill_e2e_time, request_scheduling_delay, request_num_restarts
      FROM vidur_requests WHERE run_id = 1
      """)
    #expect(requests.rows == [[0, 9.0, 1.0, 0.0, 1], [1, 6.5, 3.5, 0.5, 0], [3, 3.0, 3.0, 1.0, 0]])
    let batches = try reader.query(
      "SELECT batch_num_tokens, batch_size, batch_execution_time FROM vidur_batches WHERE run_id = 1 AND batch_id < 3"
    )
    #expect(batches.rows == [[100, 1, 1.0], [1, 1, 1.0], [1, 1, 2.0]])
  }

  /// A condition on the run reaches the tables under the views, or every query would read every run.
  @Test(arguments: [
    "token_times", "token_gaps", "request_itl", "log_percentiles", "vllm_metrics", "iterations",
    "iteration_lanes",
    "vidur_batches",
  ])
  func viewsReadOneRunOnly(view: String) throws {
    let database = try DatabaseQueue(path: directory.database)
    let plan = try database.read { db in
      try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN SELECT * FROM \(view) WHERE run_id = 2").map {
        $0["detail"] as String
      }
    }
    for table in ["s", "k", "l", "requests"] {
      let scans = plan.filter { $0 == "SCAN \(table)" }
      #expect(scans == [], "\(plan)")
    }
  }

  private func deviation(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    return (values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)).squareRoot()
  }

  private func expect(
    _ row: [RunValue], is expected: [Double], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = row.map { value in
      switch value {
      case .integer(let value): Double(value)
      case .real(let value): value
      case .text, .null: Double.nan
      }
    }
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (found, expected) in zip(found, expected) {
      #expect(abs(found - expected) <= 1e-9 * abs(expected), sourceLocation: sourceLocation)
    }
  }
}

extension [RunValue] {
  /// The row without one of its values.
  fileprivate func dropping(_ position: Int) -> [RunValue] {
    var rest = self
    rest.remove(at: position)
    return rest
  }
}
