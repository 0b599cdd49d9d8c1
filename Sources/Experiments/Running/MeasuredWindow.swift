import Serving

/// The part of a run that its figures are of: warm-up before it and what comes after it are left out.
///
/// A request counts by its arrival, an iteration and a gap between tokens by their end.
public struct MeasuredWindow: Sendable, Hashable {
  /// The first moment that counts, in simulated seconds.
  public var begin: Seconds
  /// The first moment that no longer counts; infinity for the whole rest.
  public var end: Seconds

  /// Creates a window.
  public init(from begin: Seconds = 0, until end: Seconds = .infinity) {
    self.begin = begin
    self.end = end
  }

  /// Whether a moment counts.
  public func contains(_ moment: Seconds) -> Bool { moment >= begin && moment < end }
}

/// Collects the figures of a part of a run.
struct WindowedMetrics: Sendable {
  let window: MeasuredWindow
  private(set) var metrics: RunMetrics
  /// The ends of the iterations that were recorded last, which gaps are recorded after.
  private var ends: [Seconds] = []

  init(_ window: MeasuredWindow, objective: ServiceObjective) {
    self.window = window
    metrics = RunMetrics(objective: objective)
  }

  mutating func record(_ iteration: IterationRecord) {
    ends.removeAll(keepingCapacity: true)
    add(iteration)
  }

  mutating func record(_ iterations: Span<IterationRecord>) {
    ends.removeAll(keepingCapacity: true)
    for i in iterations.indices { add(iterations[i]) }
  }

  private mutating func add(_ iteration: IterationRecord) {
    ends.append(iteration.end)
    if window.contains(iteration.end) { metrics.record(iteration) }
  }

  mutating func record(gap: Seconds, tokens: Int) {
    if let end = ends.last, window.contains(end) { metrics.record(gap: gap, tokens: tokens) }
  }

  mutating func record(gaps: Span<Seconds>, tokens: Int) {
    precondition(gaps.count == ends.count, "an iteration for each gap")
    for i in gaps.indices where window.contains(ends[i]) { metrics.record(gap: gaps[i], tokens: tokens) }
  }

  mutating func record(_ request: RequestRecord) {
    if window.contains(request.request.arrival) { metrics.record(request) }
  }

  /// What the whole run drew while idle, as far as it was idle in the window.
  ///
  /// - Parameters:
  ///   - joules: drawn while idle in the whole run.
  ///   - whole: figures of the whole run.
  ///   - instances: all that served.
  ///   - overlaps: whether iterations overlap, so that their lengths do not tell idle time; it is then spread evenly.
  /// - Returns: joules.
  func idleJoules(of joules: Joules, whole: RunMetrics, instances: Int, overlaps: Bool) -> Joules {
    guard !overlaps else {
      return joules * min(1, metrics.duration / max(whole.duration, .leastNonzeroMagnitude))
    }
    func idle(_ metrics: RunMetrics) -> Seconds {
      max(0, metrics.duration * Double(instances) - metrics.busySeconds)
    }
    let all = idle(whole)
    return all > 0 ? joules * min(1, idle(metrics) / all) : 0
  }
}
