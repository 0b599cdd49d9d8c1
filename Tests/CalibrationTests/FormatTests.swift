import CostModels
import Foundation
import Systems
import TestSupport
import Testing

@testable import Calibration

@Suite struct FormatTests {
  private func expertTable(_ rows: String) throws -> KernelTable {
    let head = "dtype,hidden,intermediate,topk,experts,tp,ep,distribution,tokens,latency_us\n"
    return try KernelTable(bytes: Array((head + rows).utf8), path: "moe.csv")
  }

  private func loads() throws -> ExpertLoads {
    let text = """
      experts,topk,ep,distribution,tokens,rows,active,tiles_16,tiles_32,tiles_64,tiles_128
      8,2,1,balanced,1,2,2,2,2,2,2
      8,2,1,balanced,2,4,4,4,4,4,4
      8,2,2,balanced,1,1,1,1,1,1,1

      """
    return try ExpertLoads(KernelTable(bytes: Array(text.utf8), path: "expert-routing.csv"))
  }

  @Test("loads come from a table of their own, and rows of several ranks are left out")
  func joined() throws {
    let rows = try Experts.rows(
      of: expertTable(
        "fp8,64,128,2,8,2,1,balanced,1,10\nfp8,64,128,2,8,1,2,balanced,1,9\nfp8,64,128,2,8,2,1,balanced,2,12\n"
      ),
      loads()
    ).tuned
    #expect(rows.map(\.active) == [2, 4] && rows.map(\.intermediate) == [64, 64])
    #expect(rows.allSatisfy { $0.skew == 0 })
    let error = #expect(throws: CalibrationError.self) {
      try Experts.rows(of: expertTable("fp8,64,128,2,8,1,1,balanced,3,10\n"), loads())
    }
    #expect(
      error?.description.contains("moe.csv:2: 8 experts, top 2, balanced, 3 tokens: expected a row of")
        == true)
  }

  @Test("quantised layers that are slower than 16-bit ones were not measured as they are served")
  func untuned() throws {
    let (rows, untuned) = try Experts.rows(
      of: expertTable(
        "bf16,64,128,2,8,1,1,balanced,1,10\nbf16,64,128,2,8,1,1,balanced,2,10\n"
          + "fp8,64,128,2,8,1,1,balanced,1,30\nfp8,64,128,2,8,1,1,balanced,2,30\n"
          + "int4,64,128,2,8,1,1,balanced,1,12\nint4,64,256,2,8,1,1,balanced,1,90\n"), loads())
    #expect(rows.map(\.type).sorted() == ["bf16", "bf16", "int4", "int4"])
    #expect(untuned == ["fp8 64 x 128 x 8 top 2"], "what is left out is named")
  }

  @Test("rows of several ranks check the price that they have in a run")
  func checked() throws {
    let calibration = try Calibration(path: shippedProfiles.url.path + "/calibrations/h200-sxm.json")
    let head = "experts,topk,ep,distribution,tokens,rows,active,tiles_16,tiles_32,tiles_64,tiles_128\n"
    let text = head + "128,8,1,balanced,64,512,128,128,128,128,128\n128,8,4,balanced,64,128,32,32,32,32,32\n"
    let loads = try ExpertLoads(KernelTable(bytes: Array(text.utf8), path: "expert-routing.csv"))
    let shape = Experts.Shape(hidden: 2048, intermediate: 768, experts: 128, topK: 8, ranks: 4)
    let price = calibration.fit(shape).seconds(.init(rows: 64, active: 128))
    // Measured twice as long as it is priced; the second row's routing is not known, the third is of one rank.
    let row = "bf16,2048,768,8,128,1,"
    let rows = try Experts.sharedRows(
      of: expertTable(
        "\(row)4,balanced,64,\(2e6 * price)\n\(row)4,balanced,65,9\n\(row)1,balanced,64,9\n"), loads)
    #expect(rows.map(\.ranks) == [4] && rows.map(\.active) == [128])
    let errors = calibration.sharedExpertsErrors(rows)
    #expect(errors.count == 1 && errors[0].type == "bf16" && errors[0].ranks == 4)
    #expect(abs(errors[0].bias + 50) < 1e-9 && errors[0].errors.median == 50)
    #expect(calibration.sharedExpertsReport(rows).contains("an estimate after one rank"))
    #expect(calibration.sharedExpertsReport([]).isEmpty)
  }

  @Test("further formats are added to a calibration, and what it has stays")
  func added() throws {
    let profiles = shippedProfiles
    let first = try Calibration(path: profiles.url.path + "/calibrations/h200-sxm.json")
    let dense = try profiles.model("llama-3.1-70b-fp8")
    let both = try Calibration(gpu: "h200-sxm", profiles: profiles, for: dense)
    #expect(Array(both.kernels.prefix(first.kernels.count)) == first.kernels)
    #expect(both.knows(.fp8) && both.knows(.fp8Block) && !first.knows(.fp8))
    let plain = try Calibration(gpu: "h200-sxm", profiles: profiles, for: profiles.model("llama-3.1-70b"))
    #expect(plain == first)
    // Fitted on rows of the format: wide products gain, narrow ones of few rows hardly.
    func ratio(_ n: Int, _ k: Int, rows: Double) -> Double {
      both.fit(MatrixProduct.Shape(n: n, k: k, format: .fp8)).seconds(rows)
        / both.fit(MatrixProduct.Shape(n: n, k: k)).seconds(rows)
    }
    #expect((0.4...0.75).contains(ratio(16_384, 8192, rows: 16)))
    #expect((0.6...1.1).contains(ratio(4096, 4096, rows: 16)))
  }

  @Test(
    "every GPU that has hardware has a calibration of its own tables",
    // Of a TPU there are no tables: its data sheet prices it.
    arguments: shippedProfiles.names(in: "hardware").filter { !$0.hasPrefix("tpu") })
  func everyGPU(name: String) throws {
    let calibration = try Calibration(path: shippedProfiles.url.path + "/calibrations/\(name).json")
    let hardware = try shippedProfiles.hardware(name)
    #expect(calibration.gpu == name)
    #expect(calibration.figures.multiprocessors == hardware.multiprocessors)
    let bandwidth = calibration.figures.memoryBandwidth / hardware.memoryBandwidth
    #expect((0.95...1.05).contains(bandwidth))
    // A product that reads 256 MiB of weights for one row takes at least what the data sheet says.
    let product = MatrixProduct.Shape(n: 16_384, k: 8192)
    let fit = calibration.fit(product)
    #expect(fit.seconds(1) > 0.95 * Double(product.weightBytes) / hardware.memoryBandwidth)
    #expect(fit.seconds(1) < 3 * Double(product.weightBytes) / hardware.memoryBandwidth)
  }

  @Test("a format without measurements is priced by the data sheet, and says so")
  func unmeasured() throws {
    let calibration = try Calibration(path: shippedProfiles.url.path + "/calibrations/a100-sxm.json")
    let fit = calibration.fit(MatrixProduct.Shape(n: 8192, k: 8192, format: .fp8))
    #expect(fit.quality == .dataSheet && fit.spread == 0.3)
    let shard = try shipped("llama-3.1-70b-fp8").shard(over: 4)
    let text = try #require(calibration.unmeasured(shard))
    #expect(text.contains("qkv_gemm (2560 x 8192, fp8: data sheet)"))
    #expect(calibration.unmeasured(try shipped("llama-3.1-70b").shard(over: 4)) == nil)
  }
}
