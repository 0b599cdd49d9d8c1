import Foundation
import Systems
import TestSupport
import Testing

@testable import Calibration
@testable import CostModels

/// Experts in MXFP4 by Marlin's kernels, priced by int4's fits, held against rows that no such fit has seen.
@Suite struct MarlinFormatTests {
  /// vLLM has no other kernels of MXFP4 on these GPUs, so that its tables' rows are Marlin's.
  @Test(arguments: ["l40s", "rtx-pro-6000"])
  func fitsOfInt4TellMXFP4(gpu: String) throws {
    let profiles = shippedProfiles.url.path
    let loads = try ExpertLoads(KernelTable(path: "\(profiles)/kernels/expert-routing.csv"))
    let table = try KernelTable(path: "\(profiles)/kernels/\(gpu)/aisimulate-0.13-vllm/moe.csv")
    let calibration = try Calibration(path: "\(profiles)/calibrations/\(gpu).json")
    let rows = try Experts.rows(of: table, loads).tuned.filter {
      $0.type == "mxfp4" && (16...4096).contains($0.tokens)
    }
    #expect(rows.count == 120)
    var law: Double?
    let errors = rows.map { row -> Double in
      let fit = calibration.fit(
        Experts.Shape(
          hidden: row.hidden, intermediate: row.intermediate, experts: row.experts, topK: row.topK,
          format: .mxfp4Marlin))
      law = fit.heldOut?.median
      let work = Experts.Work(rows: Double(row.tokens), active: row.active, skew: row.skew)
      return 100 * (fit.seconds(work) / row.seconds - 1).magnitude
    }.sorted()
    let median = errors[errors.count / 2]
    #expect((5...11).contains(median), "\(median)")
    // The spread that intervals take for it, beside that of the fits.
    let spread = (pow(1.4826 * median / 100, 2) - pow(1.4826 * (try #require(law)) / 100, 2)).squareRoot()
    #expect((spread - Spread.marlinFormats).magnitude < 0.03, "\(spread)")
  }
}
