/// The place of a sequence in its instance's table.
///
/// A slot is used again once its sequence has left the instance; a request's ``Request/id`` is not.
public struct Slot: Hashable, Sendable {
  let rawValue: Int32

  /// Creates a slot by its index.
  public init(_ index: Int) { rawValue = Int32(truncatingIfNeeded: index) }

  /// No slot.
  static let none = Slot(-1)

  /// Its index in the table; -1 for none.
  public var index: Int { Int(rawValue) }

  /// Whether this is a slot at all.
  var exists: Bool { rawValue >= 0 }
}
