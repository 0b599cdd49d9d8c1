import Experiments
import Foundation

/// What a search found and cannot tell.
enum CapacityWarnings {
  /// Warns of a capacity at which the requests of a run are a burst.
  ///
  /// - Parameters:
  ///   - result: of a search.
  ///   - name: what was searched.
  ///   - objective: what requests had to meet.
  static func warn(of result: CapacityResult, _ name: String, _ objective: Objective) {
    guard let rate = result.rate, let figures = result.figures, result.isBurst else { return }
    // A limit on the wait ends a burst; one that is given already did not.
    let waits: Set<LatencyLimit.Latency> = [.ttft, .e2el]
    let isLimited = objective.limits.contains { waits.contains($0.latency) }
    sim.warn(
      String(
        format:
          "%@: at %.3g req/s a new request finds %.0f %% of all of its run in the system, so that this is a burst and "
          + "no rate that it holds; give more --num-prompts", name, rate, figures.crowding * 100)
        + (isLimited ? "" : ", or a limit on the wait, such as ttft:10s"))
  }
}
