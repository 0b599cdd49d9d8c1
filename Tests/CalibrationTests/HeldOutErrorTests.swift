import Foundation
import Systems
import TestSupport
import Testing

@testable import Calibration
@testable import CostModels

/// Errors of predictions, and what a clock that counts in steps leaves of them.
@Suite struct HeldOutErrorTests {
  @Test func whatAMeasurementMayBeOffIsNoErrorOfThePrediction() {
    let short = HeldOutError(relative: -0.2, seconds: 10e-6)
    #expect(abs(short.beyond(0) - 0.2) < 1e-12)
    #expect(abs(short.beyond(0.5e-6) - 0.15) < 1e-12)
    #expect(short.beyond(2.5e-6) == 0)
    // The same relative error of a long launch is hardly the clock's.
    #expect(abs(HeldOutError(relative: 0.2, seconds: 1e-3).beyond(1e-6) - 0.199) < 1e-12)
  }

  @Test func summariesGoByTheTolerance() throws {
    let errors = [-0.1, 0.1, 0.3].map { HeldOutError(relative: $0, seconds: 10e-6) }
    #expect(try #require(ErrorSummary(errors)).median == 10)
    let left = try #require(ErrorSummary(errors, beyond: 1e-6))
    #expect(left.median < 1e-9 && left.rows == 3)
    #expect(abs(left.p90 - 16) < 0.01 && abs(left.worst - 20) < 0.01, "\(left)")
    #expect(ErrorSummary([HeldOutError](), beyond: 1) == nil)
  }

  /// Blackwell's calibrations keep what the clock leaves, which is never more than there was; others have no such clock.
  @Test(arguments: ["b200-sxm", "rtx-pro-6000", "h200-sxm", "l40s"])
  func calibrationsKeepIt(gpu: String) throws {
    let calibration = try Calibration(path: "\(shippedProfiles.url.path)/calibrations/\(gpu).json")
    let judged = calibration.kernels.filter { $0.heldOut != nil }
    #expect(judged.count > 5)
    for kernel in judged {
      let left = kernel.beyondClock
      #expect((left != nil) == (MeasuringClock.step(of: gpu) != nil), "\(kernel.kernel)")
      guard let left, let errors = kernel.heldOut else { continue }
      #expect(
        left.median <= errors.median && left.p90 <= errors.p90 && left.rows == errors.rows, "\(kernel.kernel)"
      )
    }
  }
}
