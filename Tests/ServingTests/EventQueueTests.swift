import Serving
import Testing

/// Events come in order of time, whatever is put forward, put off or forgotten.
@Suite struct EventQueueTests {
  func drain(_ queue: inout EventQueue) -> [Int] {
    var sources: [Int] = []
    while let event = queue.first {
      sources.append(event.source)
      queue.remove(event.source)
    }
    return sources
  }

  @Test func eventsComeInOrderOfTime() {
    var queue = EventQueue(sources: 5)
    for (source, time) in [3.0, 1, 2, 5, 4].enumerated() { queue.set(time, for: source) }
    let order = drain(&queue)
    #expect(order == [1, 2, 0, 4, 3])
  }

  @Test func ofTwoAtATimeThatOfTheSmallerNumberComesFirst() {
    var queue = EventQueue(sources: 100)
    for source in (0..<100).reversed() { queue.set(1, for: source) }
    let order = drain(&queue)
    #expect(order == Array(0..<100))
  }

  @Test func anEmptyQueueHasNoEvent() {
    let first = EventQueue(sources: 3).first
    #expect(first == nil)
  }

  /// Against a list that is sorted anew each time.
  @Test func eventsArePutForwardPutOffAndForgotten() {
    var queue = EventQueue(sources: 40)
    var times: [Int: Double] = [:]
    var state: UInt64 = 1
    func random(_ limit: UInt64) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % limit)
    }
    for _ in 0..<20_000 {
      let source = random(40)
      if random(4) == 0 {
        queue.remove(source)
        times[source] = nil
      } else {
        let time = Double(random(50))
        queue.set(time, for: source)
        times[source] = time
      }
      let expected = times.min { ($0.value, $0.key) < ($1.value, $1.key) }
      #expect(queue.first?.source == expected?.key)
      #expect(queue.first?.time == expected?.value)
    }
  }
}
