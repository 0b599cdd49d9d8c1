import Foundation
import Systems
import TestSupport
import Testing

@testable import CostModels

/// Products of sizes that nobody measured, beside larger ones.
@Suite struct ShortestProductTests {
  /// On a GB200 the nearest measured neighbour of 8,192 x 128 has its time in its bytes, a quarter of which take 0.8 us.
  @Test(arguments: ["gb200", "b200-sxm", "h200-sxm", "h100-sxm", "l40s"])
  func noneIsShorterThanTheShortestMeasured(gpu: String) throws {
    let calibration = try Calibration(path: "\(shippedProfiles.url.path)/calibrations/\(gpu).json")
    let measured = calibration.shapes(of: "gemm", "bf16").map {
      calibration.fit(MatrixProduct.Shape(n: $0.dimensions[0], k: $0.dimensions[1])).seconds(1)
    }
    let shortest = try #require(measured.min())
    #expect(shortest > 2e-6 && shortest < 5e-6, "\(shortest)")
    for (n, k) in [(8192, 128), (16_384, 128), (256, 192), (300, 300), (5000, 200)] {
      let fit = calibration.fit(MatrixProduct.Shape(n: n, k: k))
      #expect(fit.quality != .measured)
      #expect(fit.seconds(1) >= shortest * 0.999, "\(n) x \(k)")
      #expect(fit.seconds(64) >= fit.seconds(1))
    }
  }
}
