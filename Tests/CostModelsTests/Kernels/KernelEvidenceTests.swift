import CostModels
import Serving
import Systems
import TestSupport
import Testing

/// What the times of kernels rest on.
@Suite struct KernelEvidenceTests {
  private func evidence(_ model: String, gpu: String, gpus: Int = 1) throws -> KernelEvidence {
    let model = try shipped(model)
    let calibration = try Calibration(gpu: gpu, profiles: shippedProfiles, for: model)
    return KernelEvidence(try model.shard(over: gpus), KernelChoice(), calibration: calibration)
  }

  private func use(_ kernel: String, _ seconds: Double, calls: Int = 10, outside: Int = 0) -> KernelUse {
    KernelUse(kernel: kernel, calls: calls, extrapolatedCalls: outside, seconds: seconds)
  }

  private func shares(
    _ uses: [KernelUse], of evidence: KernelEvidence
  ) -> [KernelEvidence.Kind: Double] {
    Dictionary(uniqueKeysWithValues: evidence.shares(of: uses).map { ($0.kind, $0.share) })
  }

  @Test("launches inside what was measured are measured, those outside count by their fits")
  func kinds() throws {
    let evidence = try evidence("qwen3-30b-a3b", gpu: "h200-sxm")
    // The very shape of its experts was measured, up to a number of rows.
    #expect(
      shares([use("expert_mlp", 3, outside: 5), use("expert_mlp", 1)], of: evidence)
        == [.measured: 2.5 / 4, .beyond: 1.5 / 4])
    let jamba = try self.evidence("jamba-1.5-mini", gpu: "h200-sxm")
    #expect(shares([use("expert_mlp", 1, outside: 10)], of: jamba) == [.allShapes: 1])
    // Of four kernels of the recurrence three have a kin; the scan has none, and all count as it does.
    #expect(shares([use("recurrence", 1, outside: 10)], of: jamba) == [.roofline: 1])
    #expect(shares([use("pipeline_send", 1)], of: jamba) == [.estimate: 1])
    #expect(shares([use("expert_mlp", 1), use("wait_for_ranks", 9)], of: evidence) == [.measured: 1])
    #expect(evidence.shares(of: []).isEmpty)
  }

  @Test("streaming kernels that were never measured are estimates, though no launch lies outside")
  func streaming() throws {
    let (measured, estimated) = (
      try evidence("qwen3-30b-a3b", gpu: "h200-sxm"), try evidence("qwen3-30b-a3b", gpu: "h100-sxm")
    )
    #expect(shares([use("rms_norm", 1)], of: measured) == [.measured: 1])
    #expect(shares([use("rms_norm", 1)], of: estimated) == [.estimate: 1])
  }

  @Test("of two systems the lesser evidence counts, and a prefix tells drafts from the model")
  func merging() throws {
    var both = try evidence("qwen3-30b-a3b", gpu: "h200-sxm")
    both.merge(try evidence("qwen3-30b-a3b", gpu: "h100-sxm"))
    #expect(shares([use("rms_norm", 1)], of: both) == [.estimate: 1])
    let model = try shipped("qwen3-0.6b")
    let sheet = Calibration(dataSheetOf: try shippedProfiles.hardware("h200"))
    both.merge(
      KernelEvidence(try model.shard(over: 1), KernelChoice(), calibration: sheet, prefix: "draft_"))
    #expect(
      shares([use("draft_o_gemm", 1, outside: 10), use("expert_mlp", 1)], of: both)
        == [.measured: 0.5, .roofline: 0.5])
  }
}
