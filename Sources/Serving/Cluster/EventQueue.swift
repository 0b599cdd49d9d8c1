/// When each of some sources of events is to be heard next.
///
/// A source has one event at most, which can be put forward or off. Of two events at the same time, that of the source
/// with the smaller number comes first: the order does not depend on when they were set.
public struct EventQueue: Sendable {
  /// An event to come.
  public struct Event: Sendable, Hashable {
    /// When it comes.
    public let time: Seconds
    /// Where it comes from.
    public let source: Int

    @inline(__always)
    static func < (a: Event, b: Event) -> Bool {
      a.time != b.time ? a.time < b.time : a.source < b.source
    }
  }

  private var heap: [Event] = []
  /// Where each source's event lies in the heap; -1 for none.
  private var places: [Int]

  /// Creates a queue without events.
  public init(sources: Int) { places = Array(repeating: -1, count: sources) }

  /// The event to come next.
  @inline(__always)
  public var first: Event? { heap.first }

  /// Sets or changes when a source is to be heard.
  ///
  /// - Complexity: O(log n).
  public mutating func set(_ time: Seconds, for source: Int) {
    let event = Event(time: time, source: source)
    if heap.count == 1, heap[0].source == source { return heap[0] = event }
    if places[source] < 0 {
      places[source] = heap.count
      heap.append(event)
      rise(heap.count - 1)
    } else {
      let place = places[source]
      let isLater = heap[place] < event
      heap[place] = event
      isLater ? sink(place) : rise(place)
    }
  }

  /// Forgets the event of a source, if there is one.
  ///
  /// - Complexity: O(log n).
  public mutating func remove(_ source: Int) {
    let place = places[source]
    guard place >= 0 else { return }
    places[source] = -1
    let last = heap.removeLast()
    guard place < heap.count else { return }
    heap[place] = last
    places[last.source] = place
    rise(place)
    sink(places[last.source])
  }

  private mutating func rise(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child] < heap[parent] else { return }
      swap(child, parent)
      child = parent
    }
  }

  private mutating func sink(_ start: Int) {
    var parent = start
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < heap[parent] else { return }
      swap(child, parent)
      parent = child
    }
  }

  @inline(__always)
  private mutating func swap(_ a: Int, _ b: Int) {
    heap.swapAt(a, b)
    places[heap[a].source] = a
    places[heap[b].source] = b
  }
}
