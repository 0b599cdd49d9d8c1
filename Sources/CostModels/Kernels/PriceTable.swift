/// Prices by a small number, such as a row count: kept once they are known, with a count of how often each was used.
///
/// The counts give each kernel's totals at the end of a run without adding them up in every iteration.
struct PriceTable<Price: Sendable>: Sendable {
  private let unknown: Price
  private var isKnown: [Bool] = []
  private(set) var prices: [Price] = []
  private var counts: [Int] = []
  /// The price that is in use, and how often it was since it last changed: mostly it stays the same for a while.
  private var current = 0
  private var currentUses = 0

  /// How often each price was used.
  var uses: [Int] {
    var uses = counts
    if currentUses > 0 { uses[current] += currentUses }
    return uses
  }

  /// Creates an empty table; `unknown` fills the places of prices that are not known yet.
  init(unknown: Price) { self.unknown = unknown }

  /// Whether a price is known.
  @inline(__always)
  func knows(_ key: Int) -> Bool { key < isKnown.count && isKnown[key] }

  /// Keeps a price.
  mutating func learn(_ key: Int, _ price: Price) {
    if key >= prices.count {
      let growth = max(key + 1, 2 * prices.count, 256) - prices.count
      prices += Array(repeating: unknown, count: growth)
      isKnown += Array(repeating: false, count: growth)
      counts += Array(repeating: 0, count: growth)
    }
    prices[key] = price
    isKnown[key] = true
  }

  /// Takes note that a price, which must be known, is used some times now.
  @inline(__always)
  mutating func note(_ key: Int, times: Int) {
    if key != current {
      if currentUses > 0 { counts[current] += currentUses }
      current = key
      currentUses = 0
    }
    currentUses += times
  }
}
