import ResultStore
import Support

/// A run of a database as a Chrome trace, which ui.perfetto.dev opens.
///
/// Every instance is a process. Its first lane holds its iterations, the others its requests; beside them are counters of
/// queue, KV blocks, power and the rate at which expert weights are read. Streams: memory does not grow with the run,
/// but for what SQLite needs to sort the requests by arrival.
package struct Timeline {
  private static let iterationLane = 0
  private static let firstRequestLane = 1

  private let reader: ResultReader
  private let run: Int64
  private let values: [String: RunValue]

  /// Looks a run up.
  package init(reader: ResultReader, run: Int64) throws(ResultStoreError) {
    self.reader = reader
    self.run = run
    values = try reader.run(run)
    if values["log_level"] == .text(LogLevel.requests.rawValue) {
      throw .notLogged(path: reader.path, run: run, what: "iterations", level: .iterations)
    }
  }

  /// Writes the trace.
  package func write(to file: WholeFile) throws(ResultStoreError) {
    var events = TimelineEvents(file: file)
    try writeIterations(to: &events)
    try writeRequests(to: &events)
    try writeRejections(to: &events)
    let keys = [
      "run_id", "version", "policy", "model", "hardware", "engine", "tensor_parallel_size", "trace",
      "request_rate", "seed",
      "argv",
    ]
    events.end(about: keys.map { ($0, values[$0] ?? .null) })
  }

  private func writeIterations(to events: inout TimelineEvents) throws(ResultStoreError) {
    let idleWatts = try idleWatts()
    let sql = """
      SELECT instance, t_start, t_end, iter, batch_size, num_prefill_tokens, num_decode_tokens, layer_begin, layer_end,
        experts_touched, queue_len, kv_blocks_used, energy_j / (t_end - t_start),
        expert_bytes / (t_end - t_start) / 1e9
      FROM iteration_lanes WHERE run_id = :run ORDER BY instance, first_iter, lane
      """
    var counters = TimelineCounters(idleWatts: idleWatts)
    // Not captured as they are: the closure may not hold on to an `inout` parameter.
    var writer = events
    try reader.read(sql, run: run) { row in
      guard let instance = row[0].integer, let start = row[1].number, let end = row[2].number,
        let prefill = row[5].integer, let first = row[7].integer, let last = row[8].integer
      else { return false }
      if counters.begin(instance: instance) {
        writer.name(processName(instance), process: instance, lane: nil)
        writer.name("iterations", process: instance, lane: Self.iterationLane)
      }
      counters.write(
        start: start, end: end, queue: row[10], blocks: row[11], watts: row[12].number ?? 0,
        expertRate: row[13].number ?? 0, to: &writer)
      writer.slice(
        prefill > 0 ? "prefill layers \(first)..<\(last)" : "decode", process: instance,
        lane: Self.iterationLane,
        from: start, to: end,
        "\"batch_id\": \(row[3].json), \"batch_size\": \(row[4].json), \"num_prefill_tokens\": \(row[5].json), "
          + "\"num_decode_tokens\": \(row[6].json), \"layer_begin\": \(first), \"layer_end\": \(last), "
          + "\"experts_touched\": \(row[9].json)")
      return writer.isWorking
    }
    counters.end(to: &writer)
    events = writer
  }

  private func writeRequests(to events: inout TimelineEvents) throws(ResultStoreError) {
    // CROSS JOIN keeps SQLite to this order, in which all are looked up by key. A row holds an iteration and those just
    // before it.
    let before = Schema.lanes.upperBound - 1
    let sql = """
      SELECT r.instance, r.request_id, r.arrived_at, r.completed_at, r.scheduled_at, r.num_prefill_tokens,
        r.num_decode_tokens, r.num_preemptions, r.ttft_ms, s.phase, s.completed, a.t_start, b.t_end
      FROM requests AS r
      CROSS JOIN spans AS s ON s.run_id = r.run_id AND s.request_id = r.request_id
      CROSS JOIN iteration_lanes AS a ON a.run_id = s.run_id AND a.instance = s.instance
        AND a.first_iter BETWEEN s.first_iter - \(before) AND s.first_iter AND a.lane = s.first_iter - a.first_iter
      CROSS JOIN iteration_lanes AS b ON b.run_id = s.run_id AND b.instance = s.instance
        AND b.first_iter BETWEEN s.last_iter - \(before) AND s.last_iter AND b.lane = s.last_iter - b.first_iter
      WHERE r.run_id = :run AND r.status = 'completed'
      ORDER BY r.arrived_at, r.request_id, a.t_start, s.phase DESC
      """
    var lanes: [Int64: TimelineLanes] = [:]
    var current: Int64?
    var lane = 0
    var writer = events
    try reader.read(sql, run: run) { row in
      guard let instance = row[0].integer, let request = row[1].integer, let arrival = row[2].number,
        let end = row[3].number, let from = row[11].number, let to = row[12].number
      else { return false }
      if request != current {
        current = request
        lane = Self.firstRequestLane + lanes[instance, default: TimelineLanes()].take(from: arrival, to: end)
        writer.slice(
          "request \(request)", process: instance, lane: lane, from: arrival, to: end,
          "\"request_id\": \(request), \"num_prefill_tokens\": \(row[5].json), "
            + "\"num_decode_tokens\": \(row[6].json), \"num_preemptions\": \(row[7].json), \"ttft_ms\": \(row[8].json)"
        )
        if let scheduled = row[4].number, scheduled > arrival {
          writer.slice("queued", process: instance, lane: lane, from: arrival, to: scheduled)
        }
      }
      let phase = if case .text(let name) = row[9] { name } else { "" }
      writer.slice(
        row[10] == 0 ? "\(phase), preempted" : phase, process: instance, lane: lane, from: from,
        to: min(to, end))
      return writer.isWorking
    }
    for (instance, packed) in lanes.sorted(by: { $0.key < $1.key }) {
      for lane in 0..<packed.count {
        writer.name("requests \(lane + 1)", process: instance, lane: Self.firstRequestLane + lane)
      }
    }
    events = writer
  }

  private func writeRejections(to events: inout TimelineEvents) throws(ResultStoreError) {
    let sql = """
      SELECT instance, request_id, arrived_at, num_prefill_tokens, num_decode_tokens
      FROM requests WHERE run_id = :run AND status = 'rejected' ORDER BY request_id
      """
    var writer = events
    try reader.read(sql, run: run) { row in
      guard let instance = row[0].integer, let request = row[1].integer, let arrival = row[2].number else {
        return false
      }
      writer.instant(
        "rejected request \(request)", process: instance, lane: Self.iterationLane, at: arrival,
        "\"num_prefill_tokens\": \(row[3].json), \"num_decode_tokens\": \(row[4].json)")
      return writer.isWorking
    }
    events = writer
  }

  private func processName(_ instance: Int64) -> String {
    let parts = ["policy", "model", "hardware"].map { key in
      if case .text(let name)? = values[key] { name } else { "?" }
    }
    return "instance \(instance): \(parts.joined(separator: ", "))"
  }

  /// Mean power while nothing runs: the run's idle energy over all of its pauses.
  private func idleWatts() throws(ResultStoreError) -> Double {
    let pauses = try reader.query(
      """
      SELECT sum(pause) FROM (
        SELECT max(t_end) - sum(t_end - t_start) AS pause FROM iterations WHERE run_id = :run GROUP BY instance)
      """, run: run)
    guard let energy = values["idle_energy_j"]?.number, let seconds = pauses.rows.first?[0].number,
      seconds > 1e-6
    else { return 0 }
    return energy / seconds
  }
}
