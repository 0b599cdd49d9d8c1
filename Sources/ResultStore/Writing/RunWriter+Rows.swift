import GRDB
import Serving
import Support

extension RunWriter {
  /// Inserts the row of the run, and returns its number.
  func insert(_ row: RunRow, into db: Database) throws -> Int64 {
    let known = Set(try db.columns(in: "runs").map(\.name))
    var columns = ["log_level", "argv", "config"]
    var values: [RunValue] = [.text(logLevel.rawValue), .text(row.argv), .text(row.configJSON)]
    var extraKeys: [String] = []
    var extraValues: [RunValue] = []
    for (key, value) in row.parameters + row.summary {
      if known.contains(key) && key != "run_id" && key != "extra" {
        set(key, value, in: &columns, &values)
      } else {
        set(key, value, in: &extraKeys, &extraValues)
      }
    }
    if !extraKeys.isEmpty {
      var json = JSONWriter()
      json.object { json in for (key, value) in zip(extraKeys, extraValues) { json.member(key, value) } }
      set("extra", .text(json.text), in: &columns, &values)
    }
    // A null is what a column has anyway, unless it has a default.
    let given = zip(columns, values).filter { $0.1 != .null }
    try db.execute(
      sql: """
        INSERT INTO runs (\(given.map(\.0).joined(separator: ",")))
        VALUES (\(given.map { _ in "?" }.joined(separator: ",")))
        """,
      arguments: StatementArguments(given.map(\.1.databaseValue)))
    let run = db.lastInsertedRowID
    try db.execute(sql: "UPDATE runs SET \(Schema.configured) WHERE run_id = \(run)")
    return run
  }

  /// Inserts rows of a run into a table: columns but for the run's, and their values.
  func insert(
    _ rows: [[(String, RunValue)]], of runID: Int64, into table: String, _ db: Database
  ) throws {
    for values in rows {
      try db.execute(
        sql: """
          INSERT INTO \(table) (run_id, \(values.map(\.0).joined(separator: ",")))
          VALUES (\(runID), \(values.map { _ in "?" }.joined(separator: ",")))
          """,
        arguments: StatementArguments(values.map(\.1.databaseValue)))
    }
  }

  private func set(_ key: String, _ value: RunValue, in keys: inout [String], _ values: inout [RunValue]) {
    if let position = keys.firstIndex(of: key) {
      values[position] = value
    } else {
      keys.append(key)
      values.append(value)
    }
  }

  /// Inserts the totals of each kernel.
  func insert(_ kernels: [KernelUse], of runID: Int64, into db: Database) throws {
    for use in kernels {
      try db.execute(
        sql: """
          INSERT INTO kernels (run_id, kernel, calls, extrapolated_calls, kernel_s, energy_j, flops, bytes)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT DO UPDATE SET calls = calls + excluded.calls,
            extrapolated_calls = extrapolated_calls + excluded.extrapolated_calls,
            kernel_s = kernel_s + excluded.kernel_s, energy_j = energy_j + excluded.energy_j,
            flops = flops + excluded.flops, bytes = bytes + excluded.bytes
          """,
        arguments: [
          runID, use.kernel, use.calls, use.extrapolatedCalls, use.seconds, use.joules, use.flops, use.bytes,
        ])
    }
  }

  /// Inserts everything that was recorded, each table in the order of its key, or nearly so.
  func insertRecords(of runID: Int64, into db: Database) throws {
    try insertRequests(of: runID, into: db)
    try insertTransfers(of: runID, into: db)
    try insertSpans(of: runID, into: db)
    try insertIterations(of: runID, into: db)
    try insertKernels(of: runID, into: db)
  }

  private func insertRequests(of runID: Int64, into db: Database) throws {
    let inserter = try RowInserter(
      db, table: "requests",
      columns: [
        "run_id", "request_id", "instance", "status", "arrived_at", "num_prefill_tokens", "num_decode_tokens",
        "scheduled_at", "first_token_at", "completed_at", "itl_max_ms", "num_preemptions", "energy_j",
        "expert_bytes", "ttft_ms", "tpot_ms", "itl_mean_ms", "e2e_ms", "scheduling_delay_ms", "cached_tokens",
      ])
    func insert(_ chunk: [RequestRecord]) throws {
      let rows = chunk.sorted { $0.request.id < $1.request.id }
      try inserter.insert(rows.count) { position, row in
        let record = rows[position]
        row.bind(runID)
        row.bind(record.request.id)
        row.bind(record.instance)
        row.bind(record.status.name)
        row.bind(record.request.arrival)
        row.bind(record.request.promptTokens)
        row.bind(record.request.outputTokens)
        row.bind(record.scheduledAt)
        row.bind(record.firstTokenAt)
        row.bind(record.completedAt)
        row.bind(record.status == .completed ? record.longestGap * 1000 : .nan)
        row.bind(record.preemptions)
        row.bind(record.joules)
        row.bind(rounded: record.expertBytes)
        let (arrival, outputs) = (record.request.arrival, record.request.outputTokens)
        let perToken = (record.completedAt - record.firstTokenAt) * 1000 / Double(outputs - 1)
        row.bind((record.firstTokenAt - arrival) * 1000)
        row.bind(outputs > 1 ? perToken : .nan)
        row.bind(outputs > 1 ? perToken : .nan)
        row.bind((record.completedAt - arrival) * 1000)
        row.bind((record.scheduledAt - arrival) * 1000)
        row.bind(record.cachedTokens)
      }
    }
    try requests.forEachChunk(in: spill, insert)
  }

  private func insertTransfers(of runID: Int64, into db: Database) throws {
    let inserter = try RowInserter(
      db, table: "transfers",
      columns: [
        "run_id", "request_id", "from_instance", "to_instance", "bytes", "ready_at", "started_at", "ended_at",
      ])
    func insert(_ chunk: [TransferRecord]) throws {
      let rows = chunk.sorted { $0.request < $1.request }
      try inserter.insert(rows.count) { position, row in
        let record = rows[position]
        row.bind(runID)
        row.bind(record.request)
        row.bind(record.source)
        row.bind(record.sink)
        row.bind(rounded: record.bytes)
        row.bind(record.readyAt)
        row.bind(record.startedAt)
        row.bind(record.endedAt)
      }
    }
    try transfers.forEachChunk(in: spill, insert)
  }

  private func insertSpans(of runID: Int64, into db: Database) throws {
    let inserter = try RowInserter(
      db, table: "spans",
      columns: ["run_id", "request_id", "instance", "first_iter", "last_iter", "phase", "completed"])
    func insert(_ chunk: [SpanRecord]) throws {
      let rows = chunk.sorted { ($0.request, $0.firstIteration) < ($1.request, $1.firstIteration) }
      try inserter.insert(rows.count) { position, row in
        let record = rows[position]
        row.bind(runID)
        row.bind(record.request)
        row.bind(record.instance)
        row.bind(record.firstIteration)
        row.bind(record.lastIteration)
        row.bind(record.phase.name)
        row.bind(record.completed ? 1 : 0)
      }
    }
    try spans.forEachChunk(in: spill, insert)
  }

  private func insertIterations(of runID: Int64, into db: Database) throws {
    let inserter = try RowInserter(
      db, table: "iteration_strips",
      columns: [
        "run_id", "instance", "first_iter", "steps", "t_start", "batch_size", "num_prefill_tokens",
        "num_decode_tokens", "layer_begin", "layer_end", "layer_step", "experts_touched", "expert_bytes",
        "weight_bytes", "kv_bytes", "kv_bytes_step", "activation_bytes", "queue_len",
      ]
        + ["t_end", "energy_j", "kernel_s", "kv_blocks_used"].flatMap { name in
          Schema.lanes.map { "\(name)_\($0)" }
        })
    func insert(_ rows: [IterationStrip]) throws {
      try inserter.insert(rows.count) { position, row in
        row.bind(rows[position], of: runID)
      }
    }
    for instance in iterations { try instance.forEachChunk(in: spill, insert) }
  }

  private func insertKernels(of runID: Int64, into db: Database) throws {
    let inserter = try RowInserter(
      db, table: "iteration_kernels",
      columns: [
        "run_id", "instance", "iter", "kernel", "calls", "extrapolated_calls", "kernel_s", "energy_j",
        "flops",
        "bytes",
      ])
    func insert(_ rows: [KernelRow]) throws {
      try inserter.insert(rows.count) { position, row in
        let record = rows[position]
        row.bind(runID)
        row.bind(record.instance)
        row.bind(record.iteration)
        row.bind(kernelNames[Int(record.kernel)])
        row.bind(record.calls)
        row.bind(record.extrapolatedCalls)
        row.bind(record.seconds)
        row.bind(record.joules)
        row.bind(record.flops)
        row.bind(record.bytes)
      }
    }
    try kernels.forEachChunk(in: spill, insert)
  }
}

extension RowBinder {
  fileprivate mutating func bind(_ strip: borrowing IterationStrip, of runID: Int64) {
    bind(runID)
    bind(strip.instance)
    bind(strip.firstIndex)
    bind(strip.count)
    bind(strip.start)
    bind(Int64(strip.decodeTokens) + Int64(strip.prefillSequences))
    bind(strip.prefillTokens)
    bind(strip.decodeTokens)
    bind(strip.layerBegin)
    bind(strip.layerEnd)
    bind(strip.layerStep)
    bind(strip.experts)
    bind(rounded: strip.expertBytes)
    bind(rounded: strip.weightBytes)
    bind(rounded: strip.kvBytes)
    bind(strip.kvBytesStep)
    bind(rounded: strip.activationBytes)
    bind(strip.queueLength)
    let count = Int(strip.count)
    for lane in 0..<count { bind(strip.ends[lane]) }
    bindNulls(IterationStrip.capacity - count)
    for lane in 0..<count { bind(strip.joules[lane]) }
    bindNulls(IterationStrip.capacity - count)
    for lane in 0..<count { bind(strip.kernelSeconds[lane]) }
    bindNulls(IterationStrip.capacity - count)
    for lane in 0..<count { bind(strip.kvBlocksUsed[lane]) }
    bindNulls(IterationStrip.capacity - count)
  }
}

extension RequestRecord.Status {
  /// Its name in the database.
  fileprivate var name: String {
    switch self {
    case .completed: "completed"
    case .rejected: "rejected"
    case .unfinished: "unfinished"
    }
  }
}

extension SpanRecord.Phase {
  /// Its name in the database.
  fileprivate var name: String {
    switch self {
    case .prefill: "prefill"
    case .decode: "decode"
    }
  }
}
