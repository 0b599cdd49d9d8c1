import ResultStore
import Serving
import Testing

struct RunWriterTests {
  @Test func aRunComesBackAsItWas() throws {
    let directory = try TemporaryDirectory()
    let runID = try SampleRun.write(to: directory.database, logLevel: .kernels)
    #expect(runID == 1)
    let reader = try ResultReader(path: directory.database)

    let run = try reader.query(
      """
      SELECT run_id, policy, seed, request_rate, completed, energy_j, mean_ttft_ms, log_level, argv, config, hardware,
        created_at LIKE '20__-__-__T__:__:__Z'
      FROM runs
      """)
    #expect(
      run.rows == [
        [
          1, "layered[stages=16]", 7, 2.5, 3, 3.5, 2_500.0, "kernels", "sim run --policy layered",
          #"{"policy":"layered"}"#, nil, 1,
        ]
      ])
    let extra = try reader.query("SELECT extra ->> 'custom', extra ->> 'other' FROM runs")
    #expect(extra.rows == [["a \"quoted\" value", 1.5]])

    let requests = try reader.query(
      """
      SELECT request_id, status, arrived_at, num_decode_tokens, ttft_ms, tpot_ms, itl_mean_ms, itl_max_ms, e2e_ms,
        scheduling_delay_ms, num_preemptions, energy_j, expert_bytes
      FROM requests
      """)
    #expect(
      requests.rows == [
        [
          0, "completed", 0.0, 6, 1_000.0, 1_600.0, 1_600.0, 3_000.0, 9_000.0, 0.0, 1, 0.25, 1_000_000_000,
        ],
        [
          1, "completed", 0.5, 3, 3_500.0, 1_500.0, 1_500.0, 2_000.0, 6_500.0, 500.0, 0, 0.25, 1_000_000_000,
        ],
        [2, "rejected", 1.0, 5, nil, nil, nil, nil, nil, nil, 0, 0.0, 0],
        [3, "completed", 6.0, 1, 3_000.0, nil, nil, 0.0, 3_000.0, 1_000.0, 0, 0.25, 1_000_000_000],
      ])

    let iterations = try reader.query("SELECT * FROM iterations WHERE iter < 2")
    #expect(
      iterations.rows == [
        [
          1, 0, 0, 0.0, 1.0, 1, 100, 0, 0, 48, 2.5, 1_000_000_000, 2_000_000_000, 3_000_000, 4_000_000, 0.5,
          0.75, 7, 3,
        ],
        [
          1, 0, 1, 1.0, 2.0, 1, 0, 1, 0, 0, 2.5, 1_000_000_000, 2_000_000_000, 3_000_000, 4_000_000, 0.5,
          0.75, 7, 3,
        ],
      ])

    let kernels = try reader.query("SELECT * FROM kernels")
    #expect(
      kernels.rows == [
        [1, "expert_mlp", 50, 5, 2.5, 0.0, 0.0, 0.0], [1, "qkv_gemm", 100, 0, 1.5, 2.0, 3e12, 4e9],
      ])
    let uses = try reader.query(
      "SELECT kernel, count(*), sum(calls), sum(extrapolated_calls), sum(kernel_s) FROM iteration_kernels GROUP BY kernel"
    )
    #expect(uses.rows == [["expert_mlp", 7, 336, 7, 3.5], ["qkv_gemm", 7, 336, 0, 1.75]])
  }

  @Test(arguments: [
    (LogLevel.requests, [4, 0, 0, 0, 2]), (.iterations, [4, 7, 8, 0, 2]), (.kernels, [4, 7, 8, 14, 2]),
  ])
  func logLevels(level: LogLevel, counts: [Int]) throws {
    let directory = try TemporaryDirectory()
    try SampleRun.write(to: directory.database, logLevel: level)
    let found = try ResultReader(path: directory.database).query(
      """
      SELECT (SELECT count(*) FROM requests), (SELECT count(*) FROM iterations), (SELECT count(*) FROM spans),
        (SELECT count(*) FROM iteration_kernels), (SELECT count(*) FROM kernels)
      """)
    #expect(found.rows == [counts.map { RunValue($0) }])
  }

  @Test func aWriterServesRunAfterRun() throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    SampleRun.record(in: writer)
    writer.abandon()
    #expect(try writer.finish(RunRow()) == 1)
    SampleRun.record(in: writer)
    #expect(try writer.finish(RunRow()) == 2)
    let requests = try ResultReader(path: directory.database).query(
      "SELECT run_id, count(*) FROM requests GROUP BY run_id")
    #expect(requests.rows == [[2, 4]])
  }

  @Test func theLastOfTwoValuesCounts() throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    _ = try writer.finish(
      RunRow(parameters: [
        ("policy", "a"), ("policy", "b"), ("run_id", 9), ("x", 1), ("x", nil), ("created_at", nil),
      ]),
      kernels: [KernelUse(kernel: "k", calls: 1), KernelUse(kernel: "k", calls: 2)])
    let reader = try ResultReader(path: directory.database)
    #expect(
      try reader.query("SELECT run_id, policy, extra FROM runs").rows == [
        [1, "b", #"{"run_id": 9, "x": null}"#]
      ])
    #expect(try reader.query("SELECT calls FROM kernels").rows == [[3]])
  }

  /// More records than buffers hold, of two instances by turns, with values that are not whole and not
  /// numbers.
  @Test func manyRecordsGoThroughTheFileBesideTheDatabase() throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database, logLevel: .kernels)
    let count = 60_000
    for rank in 0..<count {
      var iteration = IterationRecord()
      iteration.instance = Int32(rank % 2)
      iteration.index = Int64(rank / 2)
      iteration.end = Double(rank)
      iteration.expertBytes = rank == 5 ? .infinity : 0.25
      writer.record(iteration)
      writer.record(
        kernels: [KernelUse(kernel: "k", calls: rank)], instance: iteration.instance,
        iteration: iteration.index)
      writer.record(
        SpanRecord(request: count - rank, instance: 0, phase: .decode, firstIteration: 0, lastIteration: 0))
      writer.record(
        RequestRecord(request: Request(id: rank ^ 7, arrival: 0, promptTokens: 1, outputTokens: 1)))
    }
    #expect(writer.failure == nil)
    // The file has no name from the start.
    #expect(directory.contents.allSatisfy { $0.hasPrefix("sim.sqlite") && !$0.contains("spill") })
    _ = try writer.finish(RunRow())
    let found = try ResultReader(path: directory.database).query(
      """
      SELECT (SELECT count(*) FROM iterations), (SELECT sum(t_end) FROM iterations),
        (SELECT count(*) FROM iterations WHERE t_end = 2 * iter + instance), (SELECT max(expert_bytes) FROM iterations),
        (SELECT sum(calls) FROM iteration_kernels), (SELECT count(*) FROM spans), (SELECT count(*) FROM requests)
      """)
    let sum = count * (count - 1) / 2
    #expect(
      found.rows == [
        [
          RunValue(count), RunValue(Double(sum)), RunValue(count), .real(.infinity), RunValue(sum),
          RunValue(count),
          RunValue(count),
        ]
      ])
  }

  @Test func contradictoryRecordsAreRefusedWhole() throws {
    let directory = try TemporaryDirectory()
    try SampleRun.write(to: directory.database)
    let writer = try RunWriter(path: directory.database)
    SampleRun.record(in: writer)
    SampleRun.record(in: writer)
    #expect {
      try writer.finish(SampleRun.row)
    } throws: { error in
      guard case .inconsistentRun = error as? ResultStoreError else { return false }
      return true
    }
    #expect(try ResultReader(path: directory.database).runs().rows.count == 1)
  }
}
