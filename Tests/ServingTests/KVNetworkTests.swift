import Statistics
import Testing

@testable import Serving

@Suite struct KVNetworkTests {
  /// Lets the network run until nothing is left.
  func deliveries(_ network: inout KVNetwork) -> [Int: Seconds] {
    var times: [Int: Seconds] = [:]
    while let next = network.nextChange() {
      for id in network.takeDelivered(at: next) { times[id] = next }
    }
    return times
  }

  func whole(_ network: inout KVNetwork, _ id: Int, _ bytes: Double, from: Int, to: Int, at time: Seconds) {
    network.open(id, from: from, to: to, at: time)
    network.add(bytes, to: id, at: time)
    network.close(id, at: time)
  }

  @Test func aTransferTakesItsBytesAndTheLatency() {
    var network = KVNetwork(bytesPerSecond: [100, 50], latency: 0.25)
    whole(&network, 7, 100, from: 0, to: 1, at: 1)
    #expect(deliveries(&network) == [7: 1 + 2 + 0.25])
  }

  /// A byte that takes less time than the clock can tell is there at once, and nothing waits for it for ever.
  @Test func whatTakesLessThanTheClockCanTellIsThere() {
    var network = KVNetwork(bytesPerSecond: [1e12, 1e12], latency: 0.25)
    whole(&network, 3, 1, from: 0, to: 1, at: 1e6)
    #expect(network.nextChange() == 1e6 + 0.25)
    #expect(network.takeDelivered(at: 1e6 + 0.25) == [3])
  }

  /// Layers of c seconds each, and x seconds of transfer for each: c + (L - 1) max(c, x) + x + a.
  @Test(arguments: [(0.5, 0.25), (0.25, 0.5), (0.5, 0.5)])
  func layersStreamByTheFormula(compute: Seconds, transfer: Seconds) throws {
    let (layers, latency) = (8, 0.125)
    var network = KVNetwork(bytesPerSecond: [1000, 1000], latency: latency)
    for layer in 1...layers {
      let time = Double(layer) * compute
      if layer == 1 { network.open(0, from: 0, to: 1, at: time) }
      network.add(1000 * transfer, to: 0, at: time)
      if layer == layers { network.close(0, at: time) }
    }
    let end = try #require(deliveries(&network)[0])
    let formula = compute + Double(layers - 1) * max(compute, transfer) + transfer + latency
    #expect(abs(end - formula) < 1e-9)
  }

  /// Two leave a port of 100 bytes/s: 50 each until the shorter is through, then 100.
  @Test func flowsOfAPortShareItEqually() {
    var network = KVNetwork(bytesPerSecond: [100, 1000, 1000], latency: 0)
    whole(&network, 0, 100, from: 0, to: 1, at: 0)
    whole(&network, 1, 200, from: 0, to: 2, at: 0)
    #expect(deliveries(&network) == [0: 2, 1: 3])
    var queue = KVNetwork(bytesPerSecond: [100, 1000, 1000], latency: 0, sharing: .fifo)
    whole(&queue, 0, 100, from: 0, to: 1, at: 0)
    whole(&queue, 1, 200, from: 0, to: 2, at: 0)
    #expect(deliveries(&queue) == [0: 1, 1: 3])
  }

  /// A flow that its other end holds back leaves its share to the rest.
  @Test func whatAFlowCannotUseGoesToTheRest() {
    var network = KVNetwork(bytesPerSecond: [90, 10, 1000], latency: 0)
    whole(&network, 0, 1000, from: 0, to: 1, at: 0)
    whole(&network, 1, 1000, from: 0, to: 2, at: 0)
    #expect(network.rates().map(\.bytesPerSecond) == [10, 80])
  }

  /// Gigabytes a second, late in a run: what the clock cannot tell apart is no byte that is left.
  ///
  /// Each change that is
  /// announced brings a delivery, a new rate or a later time.
  @Test(arguments: KVNetwork.Sharing.allCases, [1.0, 10, 1000, 100_000])
  func everyChangeIsProgress(sharing: KVNetwork.Sharing, start: Seconds) {
    var random = SplitMix64(seed: 11, purpose: "clock")
    var network = KVNetwork(
      bytesPerSecond: [3.125e9, 50e9, 3.125e9, 450e9], latency: 10e-6, sharing: sharing)
    var (now, changes, delivered) = (start, 0, 0)
    for id in 0..<400 {
      network.open(id, from: id % 2, to: 2 + id / 2 % 2, at: now)
      for part in 0..<4 {
        network.add(1e6 + 1e9 * random.uniform(), to: id, at: now)
        if part == 3 { network.close(id, at: now) }
        let next = now + 0.1 * random.uniform()
        while changes < 20_000, let change = network.nextChange(), change < next {
          delivered += network.takeDelivered(at: change).count
          changes += 1
        }
        now = next
      }
    }
    while changes < 20_000, let change = network.nextChange() {
      delivered += network.takeDelivered(at: change).count
      changes += 1
    }
    #expect(delivered == 400)
    #expect(changes < 4000)
  }

  /// Whatever flows: no port carries more than it can, each flow is held back by a full port, and all bytes arrive.
  @Test(arguments: 0..<40, KVNetwork.Sharing.allCases)
  func portsAreFullAndNotOverfull(seed: Int, sharing: KVNetwork.Sharing) {
    var random = SplitMix64(seed: UInt64(seed), purpose: "network")
    let bandwidth = (0..<6).map { _ in 10 + 90 * random.uniform() }
    var network = KVNetwork(bytesPerSecond: bandwidth, latency: 0.01, sharing: sharing)
    var (now, sent, delivered) = (0.0, 0, 0)
    func check() {
      var used = Array(repeating: 0.0, count: 12)
      let rates = network.rates()
      for flow in rates {
        used[flow.source] += flow.bytesPerSecond
        used[6 + flow.sink] += flow.bytesPerSecond
      }
      for port in 0..<12 { #expect(used[port] <= bandwidth[port % 6] * (1 + 1e-9)) }
      for flow in rates where sharing == .fair {
        let isFull = [(flow.source, bandwidth[flow.source]), (6 + flow.sink, bandwidth[flow.sink])]
          .contains { used[$0.0] >= $0.1 * (1 - 1e-9) }
        #expect(isFull)
      }
      #expect(rates.isEmpty || rates.contains { $0.bytesPerSecond > 0 })
    }
    for id in 0..<60 {
      now += random.uniform()
      while let next = network.nextChange(), next <= now {
        delivered += network.takeDelivered(at: next).count
      }
      whole(
        &network, id, 100 * random.uniform(), from: random.index(below: 3), to: 3 + random.index(below: 3),
        at: now)
      sent += 1
      check()
    }
    delivered += deliveries(&network).count
    #expect(delivered == sent)
  }
}

/// Instances at several sites.
@Suite struct KVNetworkLineTests {
  func network(_ sharing: KVNetwork.Sharing = .fair) -> KVNetwork {
    // Two instances at site 0, one at site 1, and one line of 100 bytes/s with a latency of 0.5 s between them.
    KVNetwork(
      bytesPerSecond: [1000, 1000, 1000], latency: 0.25, sharing: sharing, sites: [0, 0, 1],
      lines: [KVNetwork.Line(from: 0, to: 1, bytesPerSecond: 100, latency: 0.5)])
  }

  func deliveries(_ network: inout KVNetwork, _ flows: [(from: Int, to: Int, bytes: Double)]) -> [Int:
    Seconds]
  {
    for (id, flow) in flows.enumerated() {
      network.open(id, from: flow.from, to: flow.to, at: 0)
      network.add(flow.bytes, to: id, at: 0)
      network.close(id, at: 0)
    }
    var times: [Int: Seconds] = [:]
    while let next = network.nextChange() {
      for id in network.takeDelivered(at: next) { times[id] = next }
    }
    return times
  }

  /// Two flows of 100 bytes share the line; a third within the site does not, and overtakes them.
  @Test func flowsBetweenSitesShareTheirLine() {
    var fair = network()
    let times = deliveries(&fair, [(0, 2, 100), (1, 2, 100), (0, 1, 450)])
    // The port of instance 0 has 950 bytes/s left beside the 50 that the line leaves its other flow.
    #expect(times[0] == 2.75 && times[1] == 2.75)
    #expect(abs((times[2] ?? 0) - (450.0 / 950 + 0.25)) < 1e-9)
  }

  @Test func inTurnTheFirstHasTheLine() {
    var queue = network(.fifo)
    #expect(deliveries(&queue, [(0, 2, 100), (1, 2, 100)]) == [0: 1.75, 1: 2.75])
  }

  /// What takes the long way is overtaken by what takes the short one.
  @Test func latencyIsThatOfTheWay() {
    var fair = network()
    let times = deliveries(&fair, [(0, 2, 10), (0, 1, 100)])
    #expect(abs((times[0] ?? 0) - 0.85) < 1e-9 && (times[1] ?? 0) < 0.4)
  }

  /// Whatever flows between three sites: no port and no line carries more than it can, each flow is held back by one that is
  /// full, all bytes arrive, and a line was busy for as long as its bytes take.
  @Test(arguments: 0..<20, KVNetwork.Sharing.allCases)
  func linesAreFullAndNotOverfull(seed: Int, sharing: KVNetwork.Sharing) {
    var random = SplitMix64(seed: UInt64(seed), purpose: "lines")
    let bandwidth = (0..<6).map { _ in 10 + 90 * random.uniform() }
    let sites = [0, 0, 1, 2, 2, 1]
    let lines = [(0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1)].map {
      KVNetwork.Line(
        from: $0.0, to: $0.1, bytesPerSecond: 5 + 60 * random.uniform(), latency: random.uniform())
    }
    var network = KVNetwork(
      bytesPerSecond: bandwidth, latency: 0.01, sharing: sharing, sites: sites, lines: lines)
    func line(_ source: Int, _ sink: Int) -> Int? {
      lines.firstIndex { $0.from == sites[source] && $0.to == sites[sink] }
    }
    var (now, delivered) = (0.0, 0)
    var bytes = Array(repeating: 0.0, count: lines.count)
    var carried = bytes
    func check() {
      var used = Array(repeating: 0.0, count: 12)
      var onLine = Array(repeating: 0.0, count: lines.count)
      let rates = network.rates()
      for flow in rates {
        used[flow.source] += flow.bytesPerSecond
        used[6 + flow.sink] += flow.bytesPerSecond
        if let place = line(flow.source, flow.sink) { onLine[place] += flow.bytesPerSecond }
      }
      for port in 0..<12 { #expect(used[port] <= bandwidth[port % 6] * (1 + 1e-9)) }
      for place in lines.indices { #expect(onLine[place] <= lines[place].bytesPerSecond * (1 + 1e-9)) }
      for flow in rates where sharing == .fair {
        let place = line(flow.source, flow.sink)
        let isFull =
          used[flow.source] >= bandwidth[flow.source] * (1 - 1e-9)
          || used[6 + flow.sink] >= bandwidth[flow.sink] * (1 - 1e-9)
          || place.map { onLine[$0] >= lines[$0].bytesPerSecond * (1 - 1e-9) } ?? false
        #expect(isFull)
      }
    }
    func go(to time: Seconds) {
      while let next = network.nextChange(), next <= time {
        let rates = network.rates()
        for flow in rates {
          if let place = line(flow.source, flow.sink) { carried[place] += flow.bytesPerSecond * (next - now) }
        }
        now = next
        delivered += network.takeDelivered(at: next).count
      }
      guard time.isFinite else { return }
      for flow in network.rates() {
        if let place = line(flow.source, flow.sink) { carried[place] += flow.bytesPerSecond * (time - now) }
      }
      now = time
    }
    for id in 0..<60 {
      go(to: now + random.uniform())
      let source = random.index(below: 6)
      let sink = (source + 1 + random.index(below: 5)) % 6
      let size = 100 * random.uniform()
      network.open(id, from: source, to: sink, at: now)
      network.add(size, to: id, at: now)
      network.close(id, at: now)
      if let place = line(source, sink) { bytes[place] += size }
      check()
    }
    go(to: .infinity)
    #expect(delivered == 60)
    for place in lines.indices { #expect(abs(carried[place] - bytes[place]) < 1e-3) }
  }
}
