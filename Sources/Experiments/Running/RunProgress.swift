/// Something that shows how far a long computation is.
///
/// Several threads may advance it at once.
public protocol RunProgress: AnyObject, Sendable {
  /// Counts further requests that are done.
  func advance(by requests: Int)
}
