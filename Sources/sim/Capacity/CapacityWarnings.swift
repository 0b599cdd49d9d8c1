import Experiments
import Foundation

/// What a search found and cannot tell.
enum CapacityWarnings {
  /// Warns of a capacity at which the requests of a run are a burst.
  ///
  /// - Parameters:
  ///   - result: of a search.
  ///   - name: what was searched.
  static func warn(of result: CapacityResult, _ name: String) {
    guard let rate = result.rate, let figures = result.figures, result.isBurst else { return }
    sim.warn(
      String(
        format:
          "%@: at %.3g req/s a new request finds %.0f %% of all of its run in the system, so that this is a burst and "
          + "no rate that it holds; give more --num-prompts, or a limit on the wait, such as ttft:10s", name,
        rate, figures.crowding * 100))
  }
}
