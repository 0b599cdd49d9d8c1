/// The kinds of arrivals, as the command line names them.
public enum ArrivalKind: String, Sendable, CaseIterable {
  /// Independent requests at a mean rate.
  case poisson
  /// Gaps of a gamma distribution: burstier than Poisson with a shape below 1, more regular above.
  case gamma
  /// Equal gaps.
  case constant
  /// The trace's own arrivals.
  case trace
  /// Every request at 0.
  case allAtOnce = "all-at-once"
}
