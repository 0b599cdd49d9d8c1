/// Factors on the time of tuned kernels, for engines whose kernels are not.
public struct KernelScale: Sendable, Hashable {
  /// On the experts' grouped matrix products.
  public var expertMLP = 1.0
  /// On the same, further, in calls that carry prefill.
  public var expertPrefill = 1.0
  /// On the same, further again, where the experts' weights are MXFP4: engines have changed kernels there most.
  public var mxfp4Prefill = 1.0
  /// On prefill and decode attention.
  public var attention = 1.0
  /// On everything else.
  public var other = 1.0
  /// Whether calibrations were measured with the engine's own kernels.
  public var isOfMeasured = true

  /// Creates the factors of an engine with tuned kernels, all 1.
  public init() {}
}
