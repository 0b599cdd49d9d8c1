import Statistics
import Testing

@testable import Serving

@Suite struct SlidingWindowTests {
  /// One that stores 2 entries sees 3 and then 4 through a window of 4; one that stores 9 sees 4.
  @Test func aSequenceSeesAtMostTheWindow() {
    var window = SlidingWindow(size: 4)
    window.insert(context: 2, step: 0)
    window.insert(context: 9, step: 0)
    var seen = [window.nextContext]
    for step in 1...3 {
      window.advance(to: step)
      seen.append(window.nextContext)
    }
    #expect(seen == [7, 8, 8, 8])
  }

  @Test(arguments: [1, 2, 7, 15, 16, 17, 128]) func itAgreesWithALookAtEverySequence(size: Int) {
    var random = SplitMix64(seed: UInt64(size))
    var window = SlidingWindow(size: size)
    var contexts: [Int] = []
    for step in 1...500 {
      while random.next() % 3 == 0 {
        contexts.append(Int(random.next() % UInt64(2 * size)))
        window.insert(context: contexts[contexts.count - 1], step: step - 1)
      }
      while !contexts.isEmpty, random.next() % 3 == 0 {
        let gone = contexts.remove(at: Int(random.next() % UInt64(contexts.count)))
        window.remove(context: gone, step: step - 1)
      }
      let brute = contexts.reduce(0) { $0 + min($1 + 1, size) }
      let sum = window.nextContext
      #expect(sum == brute, "before step \(step)")
      contexts = contexts.map { $0 + 1 }
      window.advance(to: step)
    }
  }
}
