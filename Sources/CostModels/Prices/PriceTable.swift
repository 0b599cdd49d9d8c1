/// Prices by a small number, such as a row count: kept once they are known.
struct PriceTable<Price: Sendable>: Sendable {
  private let unknown: Price
  private var isKnown: [Bool] = []
  private(set) var prices: [Price] = []

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
    }
    prices[key] = price
    isKnown[key] = true
  }
}
