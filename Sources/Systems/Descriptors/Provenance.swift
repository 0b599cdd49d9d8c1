/// Where a number comes from, and how good it is.
public struct Provenance: Sendable, Hashable {
  /// How the number came about.
  public var quality: Quality
  /// What it was taken or reasoned from, in words.
  public var source: String

  /// Creates a provenance.
  public init(quality: Quality, source: String) {
    self.quality = quality
    self.source = source
  }
}
