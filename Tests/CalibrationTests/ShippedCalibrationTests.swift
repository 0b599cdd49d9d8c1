import CostModels
import Foundation
import Systems
import TestSupport
import Testing

@testable import Calibration

/// Two fits to the same tables say the same of every shape.
///
/// Their coefficients need not be equal to the last digit: OpenBLAS adds in another order on another kind of processor,
/// and where the measurements leave a coefficient open, as of a product that takes the same time whatever its rows, it
/// comes out differently. Of the shapes of a kernel 49 in 50 have the same times to 0.3 %, and all to 3 %.
func expectAlike(_ one: Calibration, _ other: Calibration, _ advice: String) {
  #expect(one.gpu == other.gpu && one.device == other.device && one.source == other.source, "\(advice)")
  #expect(one.figures == other.figures && one.files == other.files, "\(advice)")
  #expect(one.kernels.count == other.kernels.count, "\(advice)")
  for (mine, theirs) in zip(one.kernels, other.kernels) {
    let names = [mine, theirs].map { [$0.kernel, $0.type, $0.formula, $0.quality.rawValue, $0.source] }
    #expect(names[0] == names[1] && mine.shapes.count == theirs.shapes.count, "\(advice)")
    for summary in [\ErrorSummary.median, \.p90] as [KeyPath<ErrorSummary, Double>] {
      let errors = [mine, theirs].map { (kernel: FittedKernel) -> Double in
        kernel.heldOut.map { $0[keyPath: summary] } ?? 0
      }
      #expect((errors[0] - errors[1]).magnitude < 0.1, "\(advice): \(mine.kernel) \(errors)")
    }
    for (shape, twin) in zip(mine.shapes, theirs.shapes) {
      let corrections = [shape, twin].map { ($0.corrections?.even ?? []) + ($0.corrections?.skewed ?? []) }
      #expect(corrections[0].map(\.rows) == corrections[1].map(\.rows), "\(advice)")
      for (a, b) in zip(corrections[0], corrections[1]) {
        #expect(
          (a.factor - b.factor).magnitude <= 0.03 * b.factor, "\(advice): \(mine.kernel) \(shape.dimensions)")
      }
    }
    var differing = 0
    for (shape, twin) in zip(mine.shapes, theirs.shapes) {
      #expect(shape.dimensions == twin.dimensions && shape.rows == twin.rows, "\(advice)")
      let times = [one.time(mine, shape, at: shape), other.time(theirs, twin, at: shape)].map { $0 ?? 0 }
      let difference = (times[0] - times[1]).magnitude
      if difference > 0.003 * times[1] { differing += 1 }
      #expect(
        difference <= 0.03 * times[1], "\(advice): \(mine.kernel) \(shape.dimensions) \(times)")
    }
    #expect(differing * 50 <= mine.shapes.count, "\(advice): \(mine.kernel) \(mine.type)")
  }
  let energies = [one.energy, other.energy].map { energy in
    energy.map { [$0.idleWatts, $0.busyWatts, $0.perBytePicojoules, $0.perFLOPPicojoules] } ?? []
  }
  #expect(energies[0].count == energies[1].count, "\(advice)")
  for (mine, theirs) in zip(energies[0], energies[1]) {
    #expect((mine - theirs).magnitude <= 0.003 * theirs, "\(advice)")
  }
}

/// All calibrations that are shipped are what their tables come to, and each miss of an error bar is known.
@Suite struct ShippedCalibrationTests {
  /// A file, and the kernels in it whose errors on held-out rows are above their bars.
  struct Shipped: Sendable, CustomStringConvertible {
    var gpu: String
    var isOfFormats = false
    var misses: Set<String>
    var description: String { (isOfFormats ? "formats/" : "") + gpu }
  }

  static let shipped = [
    Shipped(
      gpu: "a100-sxm",
      misses: [
        "all_reduce trtllm", "decode_attention bf16", "gated_delta conv_decode", "gated_delta core_decode",
        "gemm bf16", "gemm int8_w8a8", "moe bf16",
      ]),
    Shipped(
      gpu: "b200-sxm",
      misses: [
        "all_reduce nccl", "gated_delta core_decode", "gemm bf16", "latent_decode_attention bf16",
        "latent_decode_attention fp8", "moe fp8_block", "moe int4", "moe mxfp4", "moe mxfp4_mxfp8",
        "moe nvfp4", "windowed_prefill_attention fp8",
      ]),
    Shipped(
      gpu: "b300-sxm",
      misses: [
        "all_reduce nccl", "gated_delta core_decode", "gemm bf16", "latent_decode_attention bf16",
        "latent_decode_attention fp8", "moe fp8_block", "moe mxfp4",
        "moe mxfp4_mxfp8",
      ]),
    Shipped(
      gpu: "gb200",
      misses: [
        "gated_delta core_decode", "gemm bf16", "latent_decode_attention bf16", "latent_decode_attention fp8",
        "latent_prefill_attention bf16", "moe fp8_block", "moe mxfp4",
        "moe mxfp4_mxfp8", "moe nvfp4", "windowed_prefill_attention fp8",
      ]),
    Shipped(
      gpu: "gb300",
      misses: [
        "all_reduce nccl", "gated_delta core_decode", "gemm bf16", "latent_decode_attention bf16",
        "latent_decode_attention fp8", "moe fp8_block", "moe mxfp4",
        "moe mxfp4_mxfp8",
      ]),
    Shipped(gpu: "h100-sxm", misses: []),
    Shipped(gpu: "h200-sxm", misses: []),
    Shipped(
      gpu: "l40s",
      misses: [
        "all_reduce nccl", "gated_delta conv_prefill", "gated_delta core_prefill", "gemm bf16",
        "latent_decode_attention bf16", "latent_decode_attention fp8", "latent_prefill_attention bf16",
        "latent_prefill_attention fp8",
        "moe fp8", "moe mxfp4", "prefill_attention bf16", "prefill_attention fp8",
        "windowed_decode_attention bf16", "windowed_decode_attention fp8", "windowed_prefill_attention bf16",
        "windowed_prefill_attention fp8",
      ]),
    Shipped(
      gpu: "rtx-pro-6000",
      misses: [
        "all_reduce custom", "all_reduce nccl", "decode_attention bf16", "gated_delta core_decode",
        "gated_delta core_prefill", "gemm bf16", "latent_decode_attention bf16",
        "latent_decode_attention fp8",
        "latent_prefill_attention bf16", "latent_prefill_attention fp8", "moe bf16", "moe fp8",
        "moe fp8_block", "moe int4", "moe mxfp4", "prefill_attention bf16",
        "prefill_attention fp8", "windowed_decode_attention fp8", "windowed_prefill_attention bf16",
        "windowed_prefill_attention fp8",
      ]),
    Shipped(
      gpu: "h100-sxm", isOfFormats: true,
      misses: [
        "gated_delta core_decode"
      ]),
    Shipped(
      gpu: "h200-sxm", isOfFormats: true,
      misses: [
        "moe fp8_block", "moe int4", "prefill_attention fp8",
      ]),
  ]

  @Test(arguments: shipped) func isWhatARefitWritesAndMissesTheseBarsAlone(_ shipped: Shipped) throws {
    let profiles = shippedProfiles.url.path
    let path = "\(profiles)/calibrations/\(shipped.description).json"
    let committed = try Calibration(path: path)
    let sources = committed.source.components(separatedBy: " + ")
    var (refit, _, _) = try calibrate(gpu: shipped.gpu, sources: sources, profilesDirectory: profiles)
    if shipped.isOfFormats {
      refit = refit.missing(in: try Calibration(path: "\(profiles)/calibrations/\(shipped.gpu).json"))
    }
    expectAlike(refit, committed, "run 'sim calibrate' and commit \(path)")
    let missed = refit.kernels.filter { kernel in
      guard let bar = kernel.bar, let errors = kernel.heldOut else { return false }
      return !bar.isMet(by: errors)
    }
    #expect(Set(missed.map { "\($0.kernel) \($0.type)" }) == shipped.misses)
  }
}
