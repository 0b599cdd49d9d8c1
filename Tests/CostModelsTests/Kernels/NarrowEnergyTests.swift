import Systems
import TestSupport
import Testing

@testable import CostModels

/// What operations in 8 and 4 bits draw.
@Suite struct NarrowEnergyTests {
  @Test(arguments: [
    (WeightFormat.bf16, false), (.fp8, true), (.fp8Block, true), (.mxfp4, false), (.mxfp4MXFP8, true),
    (.nvfp4, true), (.int4, false), (.int8, false), (.int8W8A8, true),
  ])
  func countWhereBothOperandsAreNarrow(format: WeightFormat, isNarrow: Bool) {
    let product = MatrixProduct.traffic(.init(n: 256, k: 128, format: format), 8)
    #expect(product.flops == 2 * 8 * 256 * 128)
    #expect(product.narrowFLOPs == (isNarrow ? product.flops : 0))
    let experts = Experts.traffic(
      .init(hidden: 256, intermediate: 128, experts: 8, topK: 2, format: format), .init(rows: 4, active: 6))
    #expect(experts.flops == 4 * 2 * 6 * 256 * 128)
    #expect(experts.narrowFLOPs == (isNarrow ? experts.flops : 0))
  }

  /// 0.43 of a 16-bit operation on Hopper, as measured; half of it where nothing is known.
  @Test(arguments: [("h200-sxm", 0.43), ("b200-sxm", 0.5)])
  func drawAShareOfSixteenBitOnes(gpu: String, share: Double) throws {
    let hardware = try shippedProfiles.hardware(gpu)
    #expect(hardware.energy.narrowFlopShare == share)
    let power = PowerModel(hardware)
    func joules(narrow: Double) -> Double {
      var launch = Launch(calls: 1)
      (launch.flops, launch.weightBytes, launch.seconds) = (1e9, 1e6, 1e-4)
      power.apply(to: &launch, narrowFLOPs: narrow)
      return launch.joules
    }
    let saved = joules(narrow: 0) - joules(narrow: 1e9)
    #expect(isClose(saved, 1e9 * hardware.energy.joulesPerFlop * (1 - share), within: 1e-12))
  }
}
