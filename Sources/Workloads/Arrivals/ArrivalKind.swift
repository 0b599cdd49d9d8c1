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
  /// Poisson with a rate that rises over the run; `--ramp-up-strategy` chooses it.
  case ramp
  /// Poisson with a rate that jumps up and down.
  case bursts
  /// Poisson with a rate that follows days and weeks.
  case daily
  /// Every request at 0.
  case allAtOnce = "all-at-once"
}
