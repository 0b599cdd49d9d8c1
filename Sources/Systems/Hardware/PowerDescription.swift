/// How a board keeps its average power below its limit: by lowering the clock.
///
/// Power above the limit is paid out of a reserve of `window · (limit − idle)` joules, so that a short burst is
/// untouched. Once that is used up the clock falls to a share f: compute-bound time grows as 1/f, and the power above
/// idle of those kernels falls as f to the power of ``clockExponent``.
///
/// The values that a new description begins with hold for files of earlier versions, which say nothing of them.
public struct PowerDescription: Sendable, Hashable {
  /// Time constant of the average that the board limits, in milliseconds.
  public var windowMilliseconds = 100.0
  /// How steeply the power of compute-bound kernels falls with the clock.
  public var clockExponent = 2.0
  /// The limit under which the kernel tables were measured, in watts.
  public var measuredAtWatts = 700.0
  /// Launches that last at least so long were measured in runs that the limit had slowed, in milliseconds.
  ///
  /// The time that a table gives for them is the sustained one, in which they drew ``measuredAtWatts``.
  public var sustainedMilliseconds = 2.0

  /// Creates the description of a board of which nothing is known.
  public init() {}

  /// Where the values come from if a file says nothing.
  static let defaults: [String: Provenance] = [
    "power.window_ms": Provenance(
      quality: .assumption, source: "Default, 100 ms: the file says nothing."),
    "power.clock_exponent": Provenance(
      quality: .assumption, source: "Default, 2: the file says nothing."),
    "power.measured_at_w": Provenance(
      quality: .assumption, source: "Default, 700 W: the file says nothing."),
    "power.sustained_ms": Provenance(
      quality: .assumption, source: "Default, 2 ms: the file says nothing."),
    "energy.busy_w": Provenance(
      quality: .assumption, source: "Default, 0 W: the file says nothing."),
    "energy.narrow_flop_share": Provenance(
      quality: .assumption, source: "Default, 0.5, as of the data sheets' rates: the file says nothing."),
    "energy.mxfp4_pj": Provenance(
      quality: .assumption, source: "Default, 0 pJ: the file says nothing."),
  ]
}
