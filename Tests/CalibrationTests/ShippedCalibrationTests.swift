import CostModels
import Foundation
import Systems
import TestSupport
import Testing

@testable import Calibration

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
        "decode_attention bf16", "gated_delta conv_decode", "gated_delta core_decode", "gemm bf16",
        "gemm int8_w8a8", "latent_decode_attention bf16", "latent_decode_attention fp8",
        "latent_prefill_attention bf16", "latent_prefill_attention fp8", "moe bf16", "moe int4",
        "prefill_attention bf16",
      ]),
    Shipped(
      gpu: "b200-sxm",
      misses: [
        "all_reduce nccl", "decode_attention bf16", "decode_attention fp8", "gated_delta core_decode",
        "gemm bf16", "latent_decode_attention bf16", "latent_decode_attention fp8",
        "latent_prefill_attention bf16", "moe fp8_block", "moe int4", "moe mxfp4", "moe mxfp4_mxfp8",
        "moe nvfp4", "prefill_attention bf16", "prefill_attention fp8", "windowed_decode_attention fp8",
        "windowed_prefill_attention bf16", "windowed_prefill_attention fp8",
      ]),
    Shipped(
      gpu: "b300-sxm",
      misses: [
        "all_reduce nccl", "decode_attention bf16", "decode_attention fp8", "gated_delta core_decode",
        "gemm bf16", "latent_decode_attention bf16", "latent_decode_attention fp8",
        "latent_prefill_attention bf16", "moe bf16", "moe fp8_block", "moe int4", "moe mxfp4",
        "moe mxfp4_mxfp8", "moe nvfp4", "prefill_attention bf16", "prefill_attention fp8",
        "windowed_decode_attention bf16", "windowed_decode_attention fp8", "windowed_prefill_attention bf16",
        "windowed_prefill_attention fp8",
      ]),
    Shipped(
      gpu: "gb200",
      misses: [
        "decode_attention bf16", "decode_attention fp8", "gated_delta core_decode", "gemm bf16",
        "latent_decode_attention bf16", "latent_decode_attention fp8", "latent_prefill_attention bf16",
        "moe bf16", "moe fp8_block", "moe int4", "moe mxfp4", "moe mxfp4_mxfp8", "moe nvfp4",
        "prefill_attention bf16", "prefill_attention fp8", "windowed_prefill_attention bf16",
        "windowed_prefill_attention fp8",
      ]),
    Shipped(
      gpu: "gb300",
      misses: [
        "all_reduce nccl", "decode_attention bf16", "decode_attention fp8", "gated_delta core_decode",
        "gemm bf16", "latent_decode_attention bf16", "latent_decode_attention fp8",
        "latent_prefill_attention bf16", "moe bf16", "moe fp8_block", "moe int4", "moe mxfp4",
        "moe mxfp4_mxfp8", "moe nvfp4", "prefill_attention bf16", "prefill_attention fp8",
        "windowed_decode_attention fp8", "windowed_prefill_attention bf16", "windowed_prefill_attention fp8",
      ]),
    Shipped(gpu: "h100-sxm", misses: []),
    Shipped(gpu: "h200-sxm", misses: []),
    Shipped(
      gpu: "l40s",
      misses: [
        "all_reduce nccl", "decode_attention bf16", "decode_attention fp8", "gated_delta conv_prefill",
        "gated_delta core_decode", "gated_delta core_prefill", "gemm bf16", "latent_decode_attention bf16",
        "latent_decode_attention fp8", "latent_prefill_attention bf16", "latent_prefill_attention fp8",
        "moe bf16", "moe fp8", "moe fp8_block", "moe int4", "moe mxfp4", "prefill_attention bf16",
        "prefill_attention fp8", "windowed_decode_attention bf16", "windowed_decode_attention fp8",
        "windowed_prefill_attention bf16", "windowed_prefill_attention fp8",
      ]),
    Shipped(
      gpu: "rtx-pro-6000",
      misses: [
        "all_reduce custom", "all_reduce nccl", "decode_attention bf16", "decode_attention fp8",
        "gated_delta conv_prefill", "gated_delta core_decode", "gated_delta core_prefill", "gemm bf16",
        "latent_decode_attention bf16", "latent_decode_attention fp8", "latent_prefill_attention bf16",
        "latent_prefill_attention fp8", "moe bf16", "moe fp8", "moe fp8_block", "moe int4", "moe mxfp4",
        "moe mxfp4_mxfp8", "prefill_attention bf16", "prefill_attention fp8",
        "windowed_decode_attention bf16", "windowed_decode_attention fp8", "windowed_prefill_attention bf16",
        "windowed_prefill_attention fp8",
      ]),
    Shipped(
      gpu: "h100-sxm", isOfFormats: true,
      misses: [
        "gated_delta core_decode", "latent_decode_attention fp8", "latent_prefill_attention fp8", "moe int4",
        "prefill_attention fp8", "windowed_prefill_attention fp8",
      ]),
    Shipped(
      gpu: "h200-sxm", isOfFormats: true,
      misses: [
        "gated_delta core_decode", "moe fp8_block", "moe int4", "prefill_attention fp8",
        "windowed_prefill_attention fp8",
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
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let isSame = refit.json() == text
    #expect(isSame, "run 'sim calibrate' and commit \(path)")
    let missed = refit.kernels.filter { kernel in
      guard let bar = kernel.bar, let errors = kernel.heldOut else { return false }
      return !bar.isMet(by: errors)
    }
    #expect(Set(missed.map { "\($0.kernel) \($0.type)" }) == shipped.misses)
  }
}
