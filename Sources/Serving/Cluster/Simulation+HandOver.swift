// What happens to a prompt between the instance that computes it and the one that decodes.
extension Simulation {
  /// Takes up what a step that has ended means for prompts that go from one instance to another.
  mutating func takeUp(_ event: EventQueue.Event, completed: Int, recorder: inout some Recorder) {
    guard event.source < senders else {
      joinArrived(at: event.source, event.time)
      if completed > 0 { reserveMemory(at: event.source, event.time, recorder: &recorder) }
      return
    }
    handOver(from: event.source, at: event.time, recorder: &recorder)
    release(at: event.time, recorder: &recorder)
  }

  /// Takes up what a step has done to prompts that go elsewhere.
  private mutating func handOver(from source: Int, at now: Seconds, recorder: inout some Recorder) {
    for tile in instances[source].view.news.tiles {
      noteReady(tile.area, of: tile.slot, at: source, now, recorder: &recorder)
    }
    instances[source].view.news.tiles.removeAll(keepingCapacity: true)
    let slots = instances[source].view.news.handovers
    guard !slots.isEmpty else { return }
    instances[source].view.news.handovers.removeAll(keepingCapacity: true)
    for slot in slots { finish(slot, at: source, now, recorder: &recorder) }
  }

  /// A prompt is through the model.
  private mutating func finish(
    _ slot: Slot, at source: Int, _ now: Seconds, recorder: inout some Recorder
  ) {
    let sequence = instances[source].sequenceHandedOver(slot)
    let request = sequence.record.request
    inFlight[source] -= 1
    guard request.outputTokens > 1 else {
      // Nothing is left to decode.
      var record = sequence.record
      record.completedAt = now
      record.instance = Int32(source)
      recorder.record(record)
      instances[source].releaseHandedOver(slot)
      tellEnd(of: request.id, from: source, at: now)
      totalInFlight -= 1
      return
    }
    let layers = instances[source].view.layers
    let area =
      instances[source].view.profile.map { sequence.entries(layers: layers, $0) }
      ?? request.promptTokens * layers
    noteReady(area, of: slot, at: source, now, recorder: &recorder)
    handovers?.prompts[request.id]?.sequence = sequence
    if handovers?.prompts[request.id]?.hasMemory == true {
      handovers?.rules.network.close(request.id, at: now)
    }
  }

  /// More of a prompt is ready to be sent; the first time it is told where it goes.
  private mutating func noteReady(
    _ area: Int, of slot: Slot, at source: Int, _ now: Seconds, recorder: inout some Recorder
  ) {
    let request = instances[source].view.sequences[slot.index].record.request
    if handovers?.prompts[request.id] == nil {
      guard request.outputTokens > 1, let sink = takeDecoder() else { return }
      inFlight[sink] += 1
      handovers?.prompts[request.id] = Handovers.Prompt(
        source: source, slot: slot, sink: sink, request: request,
        record: TransferRecord(
          request: request.id, source: Int32(source), sink: Int32(sink), bytes: 0, readyAt: now,
          startedAt: .nan, endedAt: .nan))
      handovers?.waiting[sink].append(request.id)
      reserveMemory(at: sink, now, recorder: &recorder)
    }
    guard let known = handovers?.prompts[request.id], area > known.readyArea else { return }
    handovers?.prompts[request.id]?.readyArea = area
    send(request.id, at: now)
  }

  /// The instance that decodes the next prompt.
  private mutating func takeDecoder() -> Int? {
    guard let rules = handovers?.rules, rules.choice == .inTurn else { return emptiestDecoder() }
    let turn = handovers?.turn ?? 0
    handovers?.turn += 1
    guard !servers.isEmpty else { return senders + turn % (instances.count - senders) }
    let decoders = servers.drop { $0.lowerBound < senders }
    return Self.emptiest(decoders[decoders.startIndex + turn % decoders.count], inFlight)
  }

  /// The instance with the fewest to decode, of the server with the fewest; of equals the first.
  private func emptiestDecoder() -> Int? {
    guard !servers.isEmpty else { return (senders..<instances.count).min { inFlight[$0] < inFlight[$1] } }
    var best: (server: Range<Int>, load: Int)?
    for server in servers where server.lowerBound >= senders {
      let load = inFlight[server].reduce(0, +)
      if load < best?.load ?? .max { best = (server, load) }
    }
    return best.map { Self.emptiest($0.server, inFlight) }
  }

  /// Gives the network what is ready of a prompt, if there is memory where it goes.
  private mutating func send(_ id: Int, at now: Seconds) {
    guard let known = handovers?.prompts[id], known.hasMemory, known.readyArea > known.sentArea else {
      return
    }
    var bytesPerArea = handovers?.rules.bytesPerTokenAndLayer ?? 0
    if let table = handovers?.rules.promptBytes {
      let tokens = known.request.promptTokens
      bytesPerArea = table(Double(tokens)) / Double(tokens * instances[known.source].view.layers)
    }
    let bytes = Double(known.readyArea - known.sentArea) * bytesPerArea
    handovers?.prompts[id]?.sentArea = known.readyArea
    handovers?.prompts[id]?.record.bytes += bytes
    handovers?.rules.network.add(bytes, to: id, at: now)
  }

  /// Takes memory of an instance for the prompts that wait for it, in their order, as long as there is enough.
  private mutating func reserveMemory(at sink: Int, _ now: Seconds, recorder: inout some Recorder) {
    guard handovers?.waiting[sink].isEmpty == false else { return }
    if let end = instances[sink].interrupt(at: now, hadItsTurn: sink < turn, recorder: &recorder) {
      events.set(end, for: sink)
    }
    while let id = handovers?.waiting[sink].first, let known = handovers?.prompts[id] {
      let isOnlyOne = inFlight[sink] == handovers?.waiting[sink].count
      guard instances[sink].reserve(for: known.request, isOnlyOne: isOnlyOne) else { return }
      handovers?.waiting[sink].removeFirst()
      handovers?.prompts[id]?.hasMemory = true
      handovers?.prompts[id]?.record.startedAt = now
      handovers?.rules.network.open(id, from: known.source, to: sink, at: now)
      send(id, at: now)
      if known.sequence != nil { handovers?.rules.network.close(id, at: now) }
    }
  }

  /// Handles what the network does next, if that is not after anything else; `nil` if it is.
  mutating func deliver(
    before event: EventQueue.Event?, recorder: inout some Recorder
  ) throws(SimulationError) -> Bool? {
    guard let now = handovers?.rules.network.nextChange(), now <= event?.time ?? .infinity,
      now < upcoming?.arrival ?? .infinity,
      travellingHead == travelling.count || now < travelling[travellingHead].time
    else { return nil }
    for id in handovers?.rules.network.takeDelivered(at: now) ?? [] {
      guard var known = handovers?.prompts.removeValue(forKey: id), let sequence = known.sequence else {
        continue
      }
      known.record.endedAt = now
      handovers?.bytesMoved += known.record.bytes
      recorder.record(known.record)
      instances[known.source].releaseHandedOver(known.slot)
      tellEnd(of: id, from: known.source, at: now)
      if now < stopAt, !isRunning(known.source) { try begin(known.source, at: now) }
      if let end = instances[known.sink].interrupt(
        at: now, hadItsTurn: known.sink < turn, recorder: &recorder)
      {
        events.set(end, for: known.sink)
      }
      handovers?.arrived[known.sink].append(sequence)
      if !isRunning(known.sink) {
        joinArrived(at: known.sink, now)
        try begin(known.sink, at: now)
      }
    }
    return true
  }

  /// Lets the sequences that are there decode.
  private mutating func joinArrived(at sink: Int, _ now: Seconds) {
    guard handovers?.arrived[sink].isEmpty == false else { return }
    let firstTokenAt = handovers?.rules.firstToken == .decode ? now : nil
    for sequence in handovers?.arrived[sink] ?? [] {
      instances[sink].join(sequence, firstTokenAt: firstTokenAt)
    }
    handovers?.arrived[sink].removeAll(keepingCapacity: true)
  }

  private mutating func tellEnd(of request: Int, from source: Int, at now: Seconds) {
    guard listens else { return }
    tellRouter(of: source)
    router.noteEnd(of: request, at: now)
  }
}
