/// Orders events in time; of two at the same time, the one added first comes first.
struct EventQueue: Sendable {
  struct Event: Sendable {
    var time: Seconds
    var order: Int
    var instance: Int

    static func < (a: Event, b: Event) -> Bool { a.time != b.time ? a.time < b.time : a.order < b.order }
  }

  private var heap: [Event] = []
  private var added = 0

  /// The event to come next.
  var first: Event? { heap.first }

  /// When the event after the next one comes; never, if there is none.
  var secondTime: Seconds {
    switch heap.count {
    case ...1: .infinity
    case 2: heap[1].time
    default: min(heap[1].time, heap[2].time)
    }
  }

  /// - Complexity: O(log n).
  mutating func insert(time: Seconds, instance: Int) {
    heap.append(Event(time: time, order: added, instance: instance))
    added += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child] < heap[parent] else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// - Complexity: O(log n).
  mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    sinkFirst()
  }

  /// Puts off the event that was to come next, as if it had been removed and inserted anew.
  ///
  /// - Complexity: O(log n).
  mutating func postponeFirst(to time: Seconds) {
    heap[0].time = time
    heap[0].order = added
    added += 1
    sinkFirst()
  }

  private mutating func sinkFirst() {
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < heap[parent] else { return }
      heap.swapAt(child, parent)
      parent = child
    }
  }
}
