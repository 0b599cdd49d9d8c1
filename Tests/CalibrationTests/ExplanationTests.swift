import Foundation
import Systems
import TestSupport
import Testing

@testable import Calibration
@testable import CostModels

/// What a model's times rest on, kernel by kernel.
@Suite struct ExplanationTests {
  private func explanation(_ model: String, gpus: Int, of gpu: String = "h200-sxm") throws -> String {
    let calibration = try Calibration(path: "\(shippedProfiles.url.path)/calibrations/\(gpu).json")
    return calibration.explanation(of: try shipped(model).shard(over: gpus))
  }

  @Test(arguments: ["qwen3-30b-a3b", "gpt-oss-20b", "qwen3-8b", "llama-3.1-8b"])
  func namesTheKernelsThatTheCostModelLaunches(model: String) throws {
    let lines = try explanation(model, gpus: 2).split(separator: "\n").dropFirst(2).dropLast()
    let named = Set(lines.map { String($0.prefix { $0 != " " && $0 != "," }) })
    let dense: Set<KernelKind> = [.gateUpGEMM, .siluMul, .downGEMM]
    let sparse: Set<KernelKind> = [.routerGEMM, .expertMLP]
    let unfused: Set<KernelKind> = [.expertSiluMul, .expertSum]
    let rarer: Set<KernelKind> = [
      .latentGEMM, .queryGEMM, .latentProducts, .indexGEMM, .recurrenceGEMM, .recurrence, .sharedGateUpGEMM,
      .sharedSiluMul, .sharedDownGEMM, .convolution, .convolutionGEMM, .expertLatentGEMM,
      // Of ranks that share experts.
      .expertDispatch, .expertCombine,
      // Not the model's own: what makes drafts has it.
      .fusionGEMM, .selection,
    ]
    let other = unfused.union(rarer).union(try shipped(model).isMixtureOfExperts ? dense : sparse)
    #expect(named == Set(Set(KernelKind.allCases).subtracting(other).map(\.rawValue)))
  }

  @Test func saysWhatWasNeverMeasured() throws {
    let text = try explanation("qwen3-30b-a3b", gpus: 2, of: "h100-sxm")
    #expect(text.hasPrefix("qwen3-30b-a3b on 2 x h100-sxm, aiconfigurator-0.12.0\n"))
    #expect(text.contains("not measured: embedding (estimate), "))
    #expect(text.contains("lm_head (neighbours)"))
    #expect(!text.contains("qkv_gemm ("))
    #expect(try explanation("qwen3-30b-a3b", gpus: 2).hasSuffix("all measured\n"))
  }

  @Test func leavesAllReducesToSeveralGPUs() throws {
    #expect(try !explanation("qwen3-30b-a3b", gpus: 1).contains("all_reduce"))
  }
}
