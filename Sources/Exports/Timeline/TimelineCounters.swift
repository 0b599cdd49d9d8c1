import ResultStore

/// The counters of a timeline: written when they change, and set to rest where nothing runs.
package struct TimelineCounters {
  private let idleWatts: Double
  private var instance: Int64?
  private var end = 0.0
  private var last: [String: RunValue] = [:]

  /// Begins with no instance; `idleWatts` is what one draws in pauses.
  package init(idleWatts: Double) { self.idleWatts = idleWatts }

  /// Goes over to a instance; returns whether it is another than before.
  package mutating func begin(instance: Int64) -> Bool {
    guard instance != self.instance else { return false }
    self.instance = instance
    end = 0
    last = [:]
    return true
  }

  /// Writes what an iteration of the instance changes.
  package mutating func write(
    start: Double, end: Double, queue: RunValue, blocks: RunValue, watts: Double, expertRate: Double,
    to events: inout TimelineEvents
  ) {
    if start > self.end { rest(at: self.end, to: &events) }
    self.end = end
    set("queue", "requests", queue, at: start, &events)
    set("KV blocks", "used", blocks, at: start, &events)
    set("power", "W", .real((watts * 10).rounded() / 10), at: start, &events)
    set("expert weights", "GB/s", .real((expertRate * 10).rounded() / 10), at: start, &events)
  }

  /// Ends the last instance.
  package mutating func end(to events: inout TimelineEvents) { rest(at: end, to: &events) }

  private mutating func rest(at time: Double, to events: inout TimelineEvents) {
    set("queue", "requests", 0, at: time, &events)
    set("KV blocks", "used", 0, at: time, &events)
    set("power", "W", .real((idleWatts * 10).rounded() / 10), at: time, &events)
    set("expert weights", "GB/s", 0.0, at: time, &events)
  }

  private mutating func set(
    _ name: String, _ unit: String, _ value: RunValue, at time: Double, _ events: inout TimelineEvents
  ) {
    guard let instance, last[name] != value else { return }
    last[name] = value
    events.counter(name, process: instance, at: time, unit, value)
  }
}
