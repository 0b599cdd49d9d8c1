/// The network over which KV entries travel between instances.
///
/// Each instance has a port, over which it sends and receives so many bytes a second each way. Transfers are flows
/// from one port to another; bytes join a flow as they become ready, and it is delivered when the last of them has left
/// and crossed the network, which takes the latency. Instances may be at different sites: what goes from one to another
/// passes the line between the two, which all such flows share and whose latency is added.
public struct KVNetwork: Sendable {
  /// How flows share ports.
  public enum Sharing: String, Sendable, CaseIterable {
    /// Max-min fair: a port's bandwidth is shared equally, and what a flow cannot use at its other end goes to the rest.
    case fair
    /// A flow waits for earlier ones that use one of its ports.
    case fifo
  }

  /// A line from one site to another.
  public struct Line: Sendable, Hashable {
    /// The site that sends.
    public let from: Int
    /// The site that receives.
    public let to: Int
    /// What it carries in this direction.
    public let bytesPerSecond: Double
    /// Time that it adds to the way of a byte.
    public let latency: Seconds

    /// Creates a line.
    public init(from: Int, to: Int, bytesPerSecond: Double, latency: Seconds) {
      precondition(bytesPerSecond > 0 && latency >= 0, "a line moves bytes forward in time")
      self.from = from
      self.to = to
      self.bytesPerSecond = bytesPerSecond
      self.latency = latency
    }
  }

  private struct Flow: Sendable {
    let id: Int
    let source: Int
    let sink: Int
    /// The line that it passes; -1 for none.
    let line: Int
    var bytesLeft = 0.0
    /// Whether no more bytes come.
    var isClosed = false
    var rate = 0.0
    var isActive: Bool { bytesLeft >= 1e-6 }
  }

  /// Time from the moment a byte leaves until it is there.
  public let latency: Seconds
  /// How flows share ports.
  public let sharing: Sharing
  private let bandwidth: [Double]
  /// The site of each instance; empty where there is one.
  private let sites: [Int]
  private let lines: [Line]
  private var flows: [Flow] = []
  /// Flows whose last byte is on its way, in order.
  private var arriving: [(id: Int, time: Seconds)] = []
  private var now: Seconds = 0
  private var hasRates = true

  /// Creates an idle network.
  ///
  /// - Parameters:
  ///   - bytesPerSecond: what each instance's port carries, each way; above 0.
  ///   - latency: at least 0.
  ///   - sharing: how flows share ports, and lines.
  ///   - sites: the site of each instance; empty where all are at one.
  ///   - lines: the lines between sites.
  public init(
    bytesPerSecond: [Double], latency: Seconds, sharing: Sharing = .fair, sites: [Int] = [],
    lines: [Line] = []
  ) {
    precondition(sites.isEmpty || sites.count == bytesPerSecond.count, "each instance has a site")
    self.sites = sites
    self.lines = lines
    precondition(
      bytesPerSecond.allSatisfy { $0 > 0 } && latency >= 0, "a network moves bytes forward in time")
    bandwidth = bytesPerSecond
    self.latency = latency
    self.sharing = sharing
  }

  /// Begins a transfer, of which no byte is ready yet.
  ///
  /// - Parameters:
  ///   - id: its number, which no other transfer has.
  ///   - source: the instance that sends.
  ///   - sink: the instance that receives.
  ///   - time: not before that of any earlier call.
  public mutating func open(_ id: Int, from source: Int, to sink: Int, at time: Seconds) {
    advance(to: time)
    flows.append(Flow(id: id, source: source, sink: sink, line: line(from: source, to: sink)))
  }

  /// The line that a flow passes; -1 within a site.
  ///
  /// - Precondition: there is one.
  private func line(from source: Int, to sink: Int) -> Int {
    guard !sites.isEmpty, sites[source] != sites[sink] else { return -1 }
    let place = lines.firstIndex { $0.from == sites[source] && $0.to == sites[sink] }
    precondition(place != nil, "there is a line between any two sites that flows go between")
    return place ?? -1
  }

  /// More bytes of a transfer are ready.
  ///
  /// - Complexity: O(transfers under way).
  public mutating func add(_ bytes: Double, to id: Int, at time: Seconds) {
    advance(to: time)
    guard let i = flows.firstIndex(where: { $0.id == id }) else { return }
    flows[i].bytesLeft += bytes
    hasRates = false
  }

  /// All bytes of a transfer are ready.
  public mutating func close(_ id: Int, at time: Seconds) {
    advance(to: time)
    guard let i = flows.firstIndex(where: { $0.id == id }) else { return }
    flows[i].isClosed = true
    removeDrained()
  }

  /// When something changes next if no call comes: a flow has nothing more to send, or the last byte of one is there.
  ///
  /// - Complexity: O(transfers under way).
  public mutating func nextChange() -> Seconds? {
    let arrival = arriving.first?.time
    guard let drain = nextDrain() else { return arrival }
    return min(drain, arrival ?? .infinity)
  }

  /// Takes out the transfers that are there.
  ///
  /// - Parameter time: from ``nextChange()``.
  /// - Returns: their numbers, in order.
  public mutating func takeDelivered(at time: Seconds) -> [Int] {
    advance(to: time)
    let count = arriving.prefix { $0.time <= time }.count
    let ids = arriving.prefix(count).map(\.id)
    arriving.removeFirst(count)
    return ids
  }

  /// What each transfer under way sends in a second now, with its ends.
  public mutating func rates() -> [(source: Int, sink: Int, bytesPerSecond: Double)] {
    share()
    return flows.filter(\.isActive).map { ($0.source, $0.sink, $0.rate) }
  }

  private mutating func nextDrain() -> Seconds? {
    share()
    var next: Seconds?
    for flow in flows where flow.isActive && flow.rate > 0 {
      next = min(next ?? .infinity, now + flow.bytesLeft / flow.rate)
    }
    return next
  }

  /// Moves the bytes that flow until a time, and takes up each flow that has nothing more to send on the way.
  private mutating func advance(to time: Seconds) {
    // A flow may run dry at this very time: what it has left takes less time than the clock can tell.
    while let drain = nextDrain(), drain <= time { move(to: drain) }
    if now < time { move(to: time) }
  }

  /// Moves the bytes that flow until a time at which no flow has run dry before.
  private mutating func move(to time: Seconds) {
    for i in flows.indices where flows[i].isActive {
      flows[i].bytesLeft -= (time - now) * flows[i].rate
      // What is left by the rounding of times is no byte.
      if !flows[i].isActive || time + flows[i].bytesLeft / flows[i].rate <= time {
        flows[i].bytesLeft = 0
        hasRates = false
      }
    }
    now = time
    if !hasRates { removeDrained() }
  }

  private mutating func removeDrained() {
    for flow in flows where flow.isClosed && !flow.isActive {
      let time = now + latency + (flow.line >= 0 ? lines[flow.line].latency : 0)
      // What takes a shorter way overtakes what is under way.
      var place = arriving.count
      while place > 0, arriving[place - 1].time > time { place -= 1 }
      arriving.insert((flow.id, time), at: place)
    }
    flows.removeAll { $0.isClosed && !$0.isActive }
  }

  /// Works out the rates anew, if flows have come, gone, run dry or been filled.
  private mutating func share() {
    guard !hasRates else { return }
    hasRates = true
    switch sharing {
    case .fifo: shareInOrder()
    case .fair: shareFairly()
    }
  }

  private mutating func shareInOrder() {
    var (sends, receives, taken) = (Set<Int>(), Set<Int>(), Set<Int>())
    for i in flows.indices where flows[i].isActive {
      let line = flows[i].line
      let isFree =
        !sends.contains(flows[i].source) && !receives.contains(flows[i].sink) && !taken.contains(line)
      let ports = min(bandwidth[flows[i].source], bandwidth[flows[i].sink])
      flows[i].rate = isFree ? min(ports, line >= 0 ? lines[line].bytesPerSecond : .infinity) : 0
      sends.insert(flows[i].source)
      receives.insert(flows[i].sink)
      if line >= 0 { taken.insert(line) }
    }
  }

  /// Progressive filling: the port or line with the least for each of its flows settles them, until all are settled.
  private mutating func shareFairly() {
    let count = bandwidth.count
    // Sending and receiving are ports of their own; the last place is for flows that pass no line.
    var left = bandwidth + bandwidth + lines.map(\.bytesPerSecond) + [.infinity]
    var users = Array(repeating: 0, count: left.count)
    var open = flows.indices.filter { flows[$0].isActive }
    func places(_ i: Int) -> (send: Int, receive: Int, line: Int) {
      let line = flows[i].line
      return (
        flows[i].source, count + flows[i].sink, line >= 0 ? 2 * count + line : 2 * count + lines.count
      )
    }
    func share(_ i: Int) -> Double {
      let way = places(i)
      return min(
        left[way.send] / Double(users[way.send]), left[way.receive] / Double(users[way.receive]),
        left[way.line] / Double(users[way.line]))
    }
    func change(_ i: Int, by flows: Int, taking rate: Double) {
      let way = places(i)
      for place in [way.send, way.receive, way.line] {
        left[place] = max(0, left[place] - rate)
        users[place] += flows
      }
    }
    for i in open { change(i, by: 1, taking: 0) }
    while !open.isEmpty {
      var least = Double.infinity
      for i in open { least = min(least, share(i)) }
      let settled = open.filter { share($0) <= least * (1 + 1e-12) }
      for i in settled {
        flows[i].rate = least
        change(i, by: -1, taking: least)
      }
      open.removeAll { settled.contains($0) }
    }
  }
}
