import Foundation
import Systems
import TestSupport
import Testing

@testable import Calibration

/// The clocks that tables were measured with.
@Suite struct MeasuringClockTests {
  /// The share of rows of 5 to 40 us that lie within 0.15 us of a multiple of `step`, from the best origin on.
  ///
  /// A clock without steps has 0.3 us of each step, a little more for the choice of the origin.
  private func share(of table: String, onSteps step: Double) throws -> Double {
    let times = try KernelTable(path: shippedProfiles.url.path + "/kernels/" + table).seconds().map {
      $0 * 1e6
    }
    .filter { $0 > 5 && $0 < 40 }
    try #require(times.count > 200)
    return stride(from: 0, to: step, by: 0.05).map { origin in
      let near = times.count {
        let rest = ($0 - origin) - ((($0 - origin) / step).rounded() * step)
        return abs(rest) < 0.15
      }
      return Double(near) / Double(times.count)
    }.max() ?? 0
  }

  /// On Blackwell time goes in steps of 2.05 us, so that a kernel of 15 us is known within 7 %.
  @Test(arguments: [
    ("b200-sxm/aisimulate-0.13-sglang/decode_attention.csv", 0.84),
    ("b300-sxm/aisimulate-0.13-sglang/decode_attention.csv", 0.85),
    ("gb200/aisimulate-0.13-sglang/decode_attention.csv", 0.77),
    ("gb300/aisimulate-0.13-sglang/decode_attention.csv", 0.81),
    ("rtx-pro-6000/aisimulate-0.13-sglang/decode_attention.csv", 0.83),
    ("b200-sxm/aisimulate-0.13-sglang/mla_decode.csv", 0.78),
    ("b200-sxm/aisimulate-0.13-vllm/decode_attention.csv", 0.43),
    ("h200-sxm/aisimulate-0.13-sglang/decode_attention.csv", 0.19),
    ("l40s/aisimulate-0.13-sglang/decode_attention.csv", 0.21),
  ])
  func blackwellCountsInSteps(table: String, onSteps expected: Double) throws {
    #expect(abs(try share(of: table, onSteps: 2.048) - expected) < 0.02)
  }
}
