/// Counts tokens by the second of simulated time in which they came out, to find the busiest second.
///
/// Instances report out of step, so that several seconds are being counted at once: each of the latest ones keeps its
/// count. Mostly successive tokens fall into the same second, whose count is at hand.
struct BusiestSecond: Sendable {
  private static let remembered = 4096

  /// The second that is being counted, and its tokens.
  private var begin: Seconds = 0
  private var end: Seconds = 1
  private var tokens = 0
  /// Tokens in the latest seconds, by second modulo the length; of the one being counted, as of its beginning.
  private var counts = Array(repeating: 0, count: remembered)
  private var latest = 0
  private var mostBefore = 0

  /// Most tokens that came out within one second.
  var most: Int { max(mostBefore, tokens) }

  /// Counts tokens that came out at a time.
  @inline(__always)
  mutating func count(_ tokens: Int, at time: Seconds) {
    if time < begin || time >= end { turn(to: Int(min(time, 1e15))) }
    self.tokens += tokens
  }

  /// Counts the tokens of successive iterations, most of which end within the second at hand.
  @inline(__always)
  mutating func count(_ iterations: Span<IterationRecord>) {
    var sum = 0
    for i in iterations.indices {
      let time = iterations[i].end
      if time < begin || time >= end {
        tokens += sum
        sum = 0
        turn(to: Int(min(time, 1e15)))
      }
      sum += Int(iterations[i].outputTokens)
    }
    tokens += sum
  }

  /// Goes on counting in another second; one that is long past counts for itself.
  private mutating func turn(to second: Int) {
    let current = Int(begin)
    mostBefore = most
    if current > latest - Self.remembered { counts[current % Self.remembered] = tokens }
    if second > latest {
      for skipped in max(latest + 1, second - Self.remembered + 1)...second {
        counts[skipped % Self.remembered] = 0
      }
      latest = second
    }
    tokens = second > latest - Self.remembered ? counts[second % Self.remembered] : 0
    begin = Double(second)
    end = begin + 1
  }
}
