import Serving

// The reference engine's schedulers on a pipeline, written down from its description alone.
//
// As many steps are in flight as there are stages. Each is of a micro-batch, whose sequences decode together and stay in it.
// A step is planned, with the memory that it takes, when there is room for one: at an arrival if nothing is in flight, and
// when the oldest step ends. It passes the stages in order; a stage begins it when it has come from the stage before, with
// the time of the way, and when the stage has ended the step before. Chunks of a prompt may follow one another.
extension NaiveEngine {
  /// How a model is cut, and how long rows take from a stage to the next one.
  struct Pipeline {
    var stages: [Range<Int>]
    var latencyTicks = 0
    var ticksPerRow = 0
  }

  private struct Flight {
    var step: Step
    var batch: Int
  }

  func run(
    _ requests: [Request], on pipeline: Pipeline, maxModelLength: Int, maxConcurrency: Int
  ) -> [Sequence] {
    let sequences = requests.map(Sequence.init)
    var upcoming = sequences[...]
    var held: [Sequence] = []
    var inSystem = 0
    longest = min(maxModelLength, cost.kvBlocks * cost.blockSize)
    if case .orca(let budget) = mode { longest = min(longest, budget) }
    var batches: [[Sequence]] = pipeline.stages.map { _ in [] }
    var idleSince = pipeline.stages.map { _ in 0 }
    var flights: [Flight] = []
    var free = pipeline.stages.map { _ in 0.0 }
    var begun: Set<Int> = []
    var ended = 0

    func send(_ s: Sequence) {
      if s.prompt + s.output > longest {
        s.isRejected = true
      } else {
        waiting.append(s)
        inSystem += 1
      }
    }
    func takeArrivals() {
      while let s = upcoming.first, s.arrival <= now {
        upcoming.removeFirst()
        if inSystem < maxConcurrency { send(s) } else { held.append(s) }
      }
    }
    /// Lets a step pass the stages.
    func start(_ step: inout Step) {
      step.record.start = max(now, free[0])
      var time = step.record.start
      for (s, layers) in pipeline.stages.enumerated() {
        time = max(time, free[s]) + cost.seconds(ticks: step.ticks[layers].reduce(step.beside, +))
        free[s] = time
        let rows = step.prefill.filter { self.layers(of: $0).contains(layers.upperBound - 1) }
          .reduce(step.decode.count) { $0 + $1.todo }
        if s + 1 < pipeline.stages.count, rows > 0 {
          time += Double(pipeline.latencyTicks + rows * pipeline.ticksPerRow) * LoadedCost.tick
        }
      }
      step.record.end = time
      for s in step.prefill where begun.insert(s.id).inserted { s.scheduledAt = step.record.start }
    }
    /// Plans a step of the micro-batch that has waited longest among those with sequences, or else of an empty one.
    func plan() -> Bool {
      let idle = batches.indices.filter { b in !flights.contains { $0.batch == b } }
      let full = idle.filter { !batches[$0].isEmpty }.sorted { idleSince[$0] < idleSince[$1] }
      for batch in full + idle.filter({ batches[$0].isEmpty }).prefix(1) {
        guard !waiting.isEmpty || !prefilling.isEmpty || !batches[batch].isEmpty else { continue }
        decoding = batches[batch]
        let (prefill, decode) = schedule()
        batches[batch] = decoding
        guard !prefill.isEmpty || !decode.isEmpty else { continue }
        var step = price(prefill, decode)
        start(&step)
        movePrompts(step)
        flights.append(Flight(step: step, batch: batch))
        return true
      }
      return false
    }

    while true {
      if flights.isEmpty {
        if inSystem == 0 {
          guard let next = upcoming.first else { return sequences }
          now = max(now, next.arrival)
        }
        takeArrivals()
        if inSystem == 0 { continue }
      }
      while flights.count < pipeline.stages.count, plan() {}
      guard !flights.isEmpty else { continue }
      let flight = flights.removeFirst()
      now = flight.step.record.end
      takeArrivals()
      decoding = batches[flight.batch]
      let completed = finish(flight.step)
      batches[flight.batch] = decoding
      ended += 1
      idleSince[flight.batch] = ended
      inSystem -= completed
      while inSystem < maxConcurrency, !held.isEmpty {
        let s = held.removeFirst()
        s.arrival = now
        send(s)
      }
    }
  }
}
