import Foundation
import Systems
import TestSupport
import Testing

@testable import Calibration
@testable import CostModels

/// Tables of the project's own harness become the same typed rows as the imported ones.
@Suite struct HarnessTests {
  private static let columns =
    "kernel,impl,model,dtype,tp,m,n,k,batch,q_len,kv_len,heads,kv_heads,head_dim,window,experts,active,topk,"
    + "max_per_expert,skew,bytes,flops,burst_us,spread_us,sustained_us,watts,joules,sm_mhz,throttle"

  private func measurements(_ rows: [String]) throws -> KernelMeasurements {
    let text = "# gpu: NVIDIA H200\n\(Self.columns)\n" + rows.map { $0 + "\n" }.joined()
    var measurements = KernelMeasurements(gpu: "h200-sxm")
    try measurements.read(harness: KernelTable(bytes: Array(text.utf8), path: "kernels.csv"))
    return measurements
  }

  @Test func matrixProductsOfAllNamesAreOneKindAndEachShapeCountsOnce() throws {
    let read = try measurements([
      "qkv_gemm,cublaslt,a,bf16,1,16,5120,2048,0,0,0,0,0,0,0,0,0,0,0,0,1,1,8.5,0,,,,,",
      "gate_up_gemm,cublaslt,b,bf16,1,16,5120,2048,0,0,0,0,0,0,0,0,0,0,0,0,1,1,8.25,0,,,,,",
      "idle,,,,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,,,,120,,1980,0",
    ])
    #expect(read[MatrixProduct.self].count == 1)
    #expect(
      read[MatrixProduct.self][0].n == 5120 && read[MatrixProduct.self][0].k == 2048
        && read[MatrixProduct.self][0].m == 16)
    #expect(read[MatrixProduct.self][0].seconds == 8.25 * 1e-6)
  }

  @Test func thePrefixIsWhatTheKeysHaveBeforeTheQueries() throws {
    let read = try measurements([
      "prefill_attention,cudnn_paged,a,bf16,1,0,0,0,1,512,2048,32,4,128,0,0,0,0,0,0,1,1,90,0,,,,,",
      "prefill_attention,cudnn,a,bf16,1,0,0,0,1,512,2048,32,4,128,0,0,0,0,0,0,1,1,80,0,,,,,",
      "decode_attention,cudnn_paged,a,bf16,1,0,0,0,8,1,4096,32,4,128,128,0,0,0,0,0,1,1,20,0,,,,,",
    ])
    #expect(read[PrefillAttention.self].count == 1)
    #expect(read[PrefillAttention.self][0].tokens == 512 && read[PrefillAttention.self][0].prefix == 1536)
    #expect(read[DecodeAttention.self].count == 1)
    #expect(
      read[DecodeAttention.self][0].batch == 8 && read[DecodeAttention.self][0].context == 4096
        && read[DecodeAttention.self][0].heads.window == 128)
  }

  @Test func aLayerOfExpertsIsItsKernelsTheFastestTilesOfEach() throws {
    let read = try measurements([
      "expert_gate_up,cutlass_t16,a,bf16,1,64,1536,2048,0,0,0,0,0,0,0,128,100,8,9,0.5,1,1,120,0,,,,,",
      "expert_gate_up,cutlass_t64,a,bf16,1,64,1536,2048,0,0,0,0,0,0,0,128,100,8,9,0.5,1,1,100,0,,,,,",
      "expert_down,cutlass_t16,a,bf16,1,64,2048,768,0,0,0,0,0,0,0,128,100,8,9,0.5,1,1,60,0,,,,,",
      "expert_down,cutlass_t16,a,bf16,1,64,2048,768,0,0,0,0,0,0,0,128,50,8,9,0,1,1,30,0,,,,,",
      "silu_mul,own,a,bf16,1,512,768,0,0,0,0,0,0,0,0,0,0,0,0,0,2359296,1,4,0,,,,,",
    ])
    #expect(read[Experts.self].count == 1)
    let row = read[Experts.self][0]
    #expect(row.hidden == 2048 && row.intermediate == 768 && row.experts == 128 && row.topK == 8)
    #expect(row.tokens == 64 && row.active == 100)
    #expect(abs(row.seconds - 164e-6) < 1e-12)
    #expect(row.skew == 0.5 && row.tiles[0] > row.tiles[3] && row.tiles[3] >= 100)
  }

  @Test func refusesFewerKeysThanQueries() {
    let error = #expect(throws: CalibrationError.self) {
      try measurements([
        "prefill_attention,cudnn_paged,a,bf16,1,0,0,0,1,512,256,32,4,128,0,0,0,0,0,0,1,1,90,0,,,,,"
      ])
    }
    #expect(error?.description.hasPrefix("kernels.csv:3: q_len 512, kv_len 256") == true)
  }

  @Test func aTableWithItsFiguresElsewhereIsCalibrated() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let kernels = folder.appendingPathComponent("kernels")
    let tables = kernels.appendingPathComponent("h200-sxm/ours")
    try FileManager.default.createDirectory(at: tables, withIntermediateDirectories: true)
    for copied in ["h200-sxm/aiconfigurator-0.12.0/device.csv", "elementwise-estimates.csv"] {
      let file = kernels.appendingPathComponent(copied)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: "\(shippedProfiles.url.path)/kernels/\(copied)", toPath: file.path)
    }
    let rows = (0..<10).map { i in
      let m = 1 << i
      return "rms_norm,own,a,bf16,1,\(m),2048,0,0,0,0,0,0,0,0,0,0,0,0,0,\(m * 16384),1,"
        + "\(2 + Double(m) * 16384 / 4e6),0,,,,,\n"
    }
    try "# gpu: NVIDIA H200\n\(Self.columns)\n\(rows.joined())".write(
      to: tables.appendingPathComponent("kernels.csv"), atomically: true, encoding: .utf8)
    let (calibration, report, _) = try calibrate(
      gpu: "h200-sxm", sources: ["ours"], profilesDirectory: folder.path)
    let norm = calibration.fit(Elementwise.Shape("rms_norm"))
    #expect(norm.quality == .measured)
    #expect(abs(norm.coefficients[0] / 2e-6 - 1) < 1e-4)
    #expect(abs(norm.coefficients[1] * 4e12 - 1) < 1e-4)
    #expect(calibration.fit(Elementwise.Shape("combine")).quality == .estimate)
    #expect(calibration.fit(MatrixProduct.Shape(n: 5120, k: 2048)).quality == .dataSheet)
    #expect(report.contains("rms_norm"))
    #expect(
      report.contains("no measurements at all: gemm, moe, prefill_attention, decode_attention, all_reduce"))

    for name in ["all_reduce", "moe"] {
      try FileManager.default.copyItem(
        atPath: "\(shippedProfiles.url.path)/kernels/h200-sxm/aiconfigurator-0.12.0/\(name).csv",
        toPath: "\(kernels.path)/h200-sxm/aiconfigurator-0.12.0/\(name).csv")
    }
    let (both, _, _) = try calibrate(
      gpu: "h200-sxm", sources: ["ours", "aiconfigurator-0.12.0"], profilesDirectory: folder.path)
    #expect(both.source == "ours + aiconfigurator-0.12.0")
    #expect(both.fit(Elementwise.Shape("rms_norm")) == norm)
    #expect(both.fit(AllReduce.Shape(.custom, gpus: 2)).quality == .measured)
    #expect(both.files.count == 5)
  }

  @Test func refusesATableWithoutAColumn() {
    let text = "# gpu: NVIDIA H200\nkernel,impl,model,dtype,skew,tp\nrms_norm,own,a,bf16,0,1\n"
    var measurements = KernelMeasurements(gpu: "h200-sxm")
    let error = #expect(throws: CalibrationError.self) {
      try measurements.read(harness: KernelTable(bytes: Array(text.utf8), path: "kernels.csv"))
    }
    #expect(
      error?.description == "kernels.csv: no column 'm'; its header has kernel, impl, model, dtype, skew, tp")
  }
}
