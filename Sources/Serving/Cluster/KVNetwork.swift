/// The network over which KV entries travel between instances.
///
/// Each instance has a port, over which it sends and receives so many bytes a second each way. Transfers are flows
/// from one port to another; bytes join a flow as they become ready, and it is delivered when the last of them has left
/// and crossed the network, which takes the latency.
public struct KVNetwork: Sendable {
  /// How flows share ports.
  public enum Sharing: String, Sendable, CaseIterable {
    /// Max-min fair: a port's bandwidth is shared equally, and what a flow cannot use at its other end goes to the rest.
    case fair
    /// A flow waits for earlier ones that use one of its ports.
    case fifo
  }

  private struct Flow: Sendable {
    let id: Int
    let source: Int
    let sink: Int
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
  ///   - sharing: how flows share ports.
  public init(bytesPerSecond: [Double], latency: Seconds, sharing: Sharing = .fair) {
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
    flows.append(Flow(id: id, source: source, sink: sink))
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
    for flow in flows where flow.isClosed && !flow.isActive { arriving.append((flow.id, now + latency)) }
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
    var (sends, receives) = (Set<Int>(), Set<Int>())
    for i in flows.indices where flows[i].isActive {
      let isFree = !sends.contains(flows[i].source) && !receives.contains(flows[i].sink)
      flows[i].rate = isFree ? min(bandwidth[flows[i].source], bandwidth[flows[i].sink]) : 0
      sends.insert(flows[i].source)
      receives.insert(flows[i].sink)
    }
  }

  /// Progressive filling: the port with the least for each of its flows settles them, until all are settled.
  private mutating func shareFairly() {
    let count = bandwidth.count
    // Sending and receiving are ports of their own.
    var left = bandwidth + bandwidth
    var users = Array(repeating: 0, count: 2 * count)
    var open = flows.indices.filter { flows[$0].isActive }
    for i in open {
      users[flows[i].source] += 1
      users[count + flows[i].sink] += 1
    }
    while !open.isEmpty {
      var least = Double.infinity
      for i in open {
        let (send, receive) = (flows[i].source, count + flows[i].sink)
        least = min(least, left[send] / Double(users[send]), left[receive] / Double(users[receive]))
      }
      let settled = open.filter { i in
        let (send, receive) = (flows[i].source, count + flows[i].sink)
        let own = min(left[send] / Double(users[send]), left[receive] / Double(users[receive]))
        return own <= least * (1 + 1e-12)
      }
      for i in settled {
        flows[i].rate = least
        let (send, receive) = (flows[i].source, count + flows[i].sink)
        left[send] = max(0, left[send] - least)
        left[receive] = max(0, left[receive] - least)
        users[send] -= 1
        users[receive] -= 1
      }
      open.removeAll { settled.contains($0) }
    }
  }
}
