/// What one iteration runs: a decode step for the oldest decoding sequences, and some tiles of prefill.
public struct IterationPlan: Sendable, Hashable {
  /// Decoding sequences that take a step through every layer; set by ``ServingState/decode(atMost:into:)``.
  public internal(set) var decodes = 0
  /// The prefill tiles, in the order in which they were planned.
  public var prefill: [PrefillTile] = []

  /// Creates an empty plan.
  public init() {}

  /// Whether the iteration would do nothing.
  public var isEmpty: Bool { decodes == 0 && prefill.isEmpty }

  mutating func reset() {
    decodes = 0
    // Mostly there is a tile or none, and removing one by one costs a fraction of removing all.
    while !prefill.isEmpty { prefill.removeLast() }
  }
}
