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

  @Test("experts on no rank at all are refused")
  func noRanks() throws {
    let error = #expect(throws: CalibrationError.self) {
      try Experts.rows(
        of: expertTable("fp8,64,128,2,8,1,1,balanced,1,9\nfp8,64,128,2,8,1,0,balanced,1,9\n"), loads())
    }
    #expect(error?.description.contains("moe.csv:3: ep is 0, expected a number of ranks, 1 or more") == true)
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

  @Test("rows of several ranks by a power law check the price that they have in a run")
  func checked() throws {
    let calibration = try Calibration(path: shippedProfiles.url.path + "/calibrations/h200-sxm.json")
    let head = "experts,topk,ep,distribution,tokens,rows,active,tiles_16,tiles_32,tiles_64,tiles_128\n"
    let text =
      head + "128,8,1,power_law_1.2,64,512,90,90,90,90,90\n128,8,4,power_law_1.2,64,128,28,28,28,28,28\n"
      + "128,8,1,balanced,64,512,128,128,128,128,128\n"
    let loads = try ExpertLoads(KernelTable(bytes: Array(text.utf8), path: "expert-routing.csv"))
    let shape = Experts.Shape(hidden: 2048, intermediate: 768, experts: 128, topK: 8, ranks: 4)
    let price = calibration.fit(shape).seconds(.init(rows: 64, active: 90, skew: 1))
    // Measured twice as long as it is priced; the second row's routing is not known, the third is of one rank, and the
    // fourth is balanced: fits see it.
    let row = "bf16,2048,768,8,128,1,"
    let rows = try Experts.sharedRows(
      of: expertTable(
        "\(row)4,power_law_1.2,64,\(2e6 * price)\n\(row)4,balanced,65,9\n\(row)1,balanced,64,9\n"
          + "\(row)4,balanced,64,9\n"), loads)
    #expect(rows.map(\.ranks) == [4, 4] && rows.map(\.active) == [90, 128])
    #expect(rows[0].onRank?.choices == 128 && rows[0].onRank?.active == 28 && rows[1].onRank == nil)
    let errors = calibration.sharedExpertsErrors(rows)
    #expect(errors.count == 1 && errors[0].type == "bf16" && errors[0].ranks == 4)
    #expect(abs(errors[0].bias + 50) < 1e-9 && errors[0].errors.median == 50)
    #expect(calibration.sharedExpertsReport(rows).contains("which no fit has seen"))
    #expect(calibration.sharedExpertsReport([]).isEmpty)
  }

  /// Times that are made by the law of one rank and 5 us, 2 ps a byte of all choices, give these back; balanced rows of layers
  /// whose rows of one rank were routed by groups of experts do not count.
  @Test("what several ranks take beyond the law of one is fitted to balanced rows")
  func fittedOverRanks() throws {
    let tokens = [1, 4, 16, 64, 256, 1024, 4096, 16384]
    var loads = "experts,topk,ep,distribution,tokens,rows,active,tiles_16,tiles_32,tiles_64,tiles_128\n"
    var table = ""
    func time(_ choices: Double, _ active: Double) -> Double {
      20 + active * 3 * 64 * 128 * 2 * 1e-6 + choices * 6 * 64 * 128 * 1e-9
    }
    for t in tokens {
      for (ranks, experts) in [(1, 8.0), (4, 2.0)] {
        let choices = max(1, Double(2 * t) / Double(ranks))
        let active = min(experts, choices)
        let tiles = Array(repeating: "\(active)", count: 4).joined(separator: ",")
        for name in ["balanced", "balanced_4_of_8_groups"] {
          loads += "8,2,\(ranks),\(name),\(t),\(choices),\(active),\(tiles)\n"
        }
        let further = ranks == 1 ? 0 : 5 + Double(t * 2 * 2 * (5 * 64 + 6 * 128)) * 2e-6
        table += "bf16,64,128,2,8,1,\(ranks),balanced,\(t),\(time(choices, active) + further)\n"
        // The same layer with wider experts, in groups: what several ranks take is anything.
        let name = ranks == 1 ? "balanced_4_of_8_groups" : "balanced"
        table += "bf16,64,256,2,8,1,\(ranks),\(name),\(t),\(9 * time(choices, active))\n"
      }
    }
    var measurements = KernelMeasurements(gpu: "toy")
    let known = try ExpertLoads(KernelTable(bytes: Array(loads.utf8), path: "expert-routing.csv"))
    measurements[Experts.self] = try Experts.rows(of: expertTable(table), known).tuned
    measurements.sharedExperts = try Experts.sharedRows(of: expertTable(table), known)
    #expect(measurements.sharedExperts.count == tokens.count)
    let figures = try Calibration(path: shippedProfiles.url.path + "/calibrations/h200-sxm.json").figures
    let kernels = try Experts.fit(
      measurements[Experts.self], Calibrator(measurements: measurements, figures: figures))
    let layer = try #require(kernels.first { $0.kernel == "moe_over_ranks" })
    #expect(layer.shapes.map(\.dimensions) == [[64, 128, 8, 2]])
    #expect(abs(layer.shapes[0].values[0] - 5e-6) < 1e-9 && abs(layer.shapes[0].values[1] - 2e-12) < 1e-15)
    #expect(layer.shapes[0].measured == [[1, 16384], [2, 4]])
    #expect(
      kernels.contains { $0.kernel == "moe_over_ranks_all_shapes" && $0.shapes[0].rows == tokens.count })
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
