/// Packs requests into as few lanes as overlap at any moment: a lane is used anew once its request is over.
package struct TimelineLanes {
  /// When each lane is free again.
  private var freeAt: [Double] = []

  /// How many lanes there are.
  package var count: Int { freeAt.count }

  /// The lowest lane that is free at `start`; it is taken until `end`.
  ///
  /// Starts must not decrease from call to call, or lanes are wasted.
  ///
  /// - Complexity: O(lanes).
  package mutating func take(from start: Double, to end: Double) -> Int {
    if let lane = freeAt.firstIndex(where: { $0 <= start }) {
      freeAt[lane] = end
      return lane
    }
    freeAt.append(end)
    return freeAt.count - 1
  }
}
