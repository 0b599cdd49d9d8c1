/// What the fits of all kernels have in common: where they come from, and how far off they tend to be.
public protocol KernelFit: Sendable, Hashable {
  /// Where the coefficients come from.
  var origin: FitOrigin { get }
  /// The errors, on rows that they have not seen, of fits found as this one was; nil if that was never tried.
  var heldOut: ErrorSummary? { get }
  /// The same kernel, all of whose launches take `factor` times as long.
  func scaled(by factor: Double) -> Self
}

extension KernelFit {
  /// The standard deviation of the logarithm of the true time over the predicted one.
  public var spread: Double { Spread.of(origin, heldOut) }
}
