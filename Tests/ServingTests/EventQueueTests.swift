import Statistics
import Testing

@testable import Serving

@Suite struct EventQueueTests {
  func drain(_ queue: inout EventQueue) -> [Int] {
    var order: [Int] = []
    while let event = queue.first {
      order.append(event.instance)
      queue.removeFirst()
    }
    return order
  }

  @Test func earlierEventsComeFirst() {
    var queue = EventQueue()
    for (i, time) in [3.0, 1, 2, 0].enumerated() { queue.insert(time: time, instance: i) }
    let order = drain(&queue)
    #expect(order == [3, 1, 2, 0])
  }

  @Test func tiesComeInOrderOfEntry() {
    var queue = EventQueue()
    for i in 0..<100 { queue.insert(time: i < 50 ? 1 : 0, instance: i) }
    let order = drain(&queue)
    #expect(order == Array(50..<100) + Array(0..<50))
  }

  @Test func anEmptyQueueHasNoFirstEvent() {
    let first = EventQueue().first
    #expect(first == nil)
  }

  /// Events come and go in turn, as in a simulation; a sorted list is the oracle.
  @Test func itAgreesWithASortedList() {
    var random = SplitMix64(seed: 1)
    var queue = EventQueue()
    var list: [(time: Double, number: Int)] = []
    for number in 0..<2000 {
      let time = Double(random.next() % 20)
      queue.insert(time: time, instance: number)
      list.insert((time, number), at: list.firstIndex { $0.time > time } ?? list.count)
      while !list.isEmpty, random.next() % 2 == 0 {
        let first = queue.first?.instance
        #expect(first == list[0].number)
        let second = queue.secondTime
        #expect(second == (list.count > 1 ? list[1].time : .infinity))
        queue.removeFirst()
        list.removeFirst()
      }
      if !list.isEmpty, random.next() % 2 == 0 {
        let (_, number) = list.removeFirst()
        let later = time + Double(random.next() % 5)
        queue.postponeFirst(to: later)
        list.insert((later, number), at: list.firstIndex { $0.time > later } ?? list.count)
      }
    }
    let rest = drain(&queue)
    #expect(rest == list.map(\.number))
  }
}
