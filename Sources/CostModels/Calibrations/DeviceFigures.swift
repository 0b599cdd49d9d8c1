import Systems

/// What the fits need to know of a GPU, and its data-sheet rates for kernels that were not measured.
public struct DeviceFigures: Codable, Sendable, Hashable {
  /// Multiprocessors.
  public let multiprocessors: Int
  /// Memory bandwidth of the data sheet, in bytes per second.
  public let memoryBandwidth: Double
  /// The share of it that kernels reach by experience, above 0 and up to 1.
  public let memoryEfficiency: Double
  /// Dense BF16 arithmetic rate of the data sheet, in floating-point operations per second.
  public let bf16FLOPs: Double
  /// Dense FP8 arithmetic rate of the data sheet, in floating-point operations per second; the 16-bit rate where there are
  /// no such tensor cores.
  public let fp8FLOPs: Double
  /// Dense FP4 arithmetic rate of the data sheet; nil where there are no such tensor cores.
  public let fp4FLOPs: Double?
  /// Dense INT8 arithmetic rate of the data sheet; nil where it is not known.
  public let int8FLOPs: Double?
  /// Bytes of the second-level cache; nil where they are not known.
  public package(set) var l2Bytes: Double?

  package init(
    multiprocessors: Int, memoryBandwidth: Double, memoryEfficiency: Double, bf16FLOPs: Double,
    fp8FLOPs: Double, fp4FLOPs: Double? = nil, int8FLOPs: Double? = nil, l2Bytes: Double? = nil
  ) {
    self.l2Bytes = l2Bytes
    self.fp4FLOPs = fp4FLOPs
    self.int8FLOPs = int8FLOPs
    self.multiprocessors = multiprocessors
    self.memoryBandwidth = memoryBandwidth
    self.memoryEfficiency = memoryEfficiency
    self.bf16FLOPs = bf16FLOPs
    self.fp8FLOPs = fp8FLOPs
  }

  enum CodingKeys: String, CodingKey {
    case multiprocessors
    case memoryBandwidth = "memory_bandwidth"
    case memoryEfficiency = "memory_efficiency"
    case bf16FLOPs = "bf16_flops"
    case fp8FLOPs = "fp8_flops"
    case fp4FLOPs = "fp4_flops"
    case int8FLOPs = "int8_flops"
    case l2Bytes = "l2_bytes"
  }

  /// The data sheet's arithmetic rate with weights of a format; formats of weights alone are multiplied in 16 bits.
  package func flops(_ format: WeightFormat) -> Double {
    switch format {
    case .fp8, .fp8Block, .mxfp4MXFP8: fp8FLOPs
    case .nvfp4: fp4FLOPs ?? bf16FLOPs
    case .int8W8A8: int8FLOPs ?? bf16FLOPs
    case .bf16, .mxfp4, .mxfp4Marlin, .nvfp4W4A16, .int4, .int4Groups64, .int4Groups32, .int8: bf16FLOPs
    }
  }

  /// Whether so many bytes stay in the second-level cache from one kernel to the next.
  package func caches(_ bytes: Double) -> Bool { bytes <= l2Bytes ?? 0 }

  /// Inverse of the bandwidth that kernels reach by experience.
  package var secondsPerByte: Double { 1 / (memoryBandwidth * memoryEfficiency) }

  /// The share of the data sheet's arithmetic rate that kernels reach which were not measured: an estimate.
  ///
  /// The fits under `Profiles/calibrations` bracket it. Of their 16-bit products, the rates that large operands tend to are 0.75
  /// to 0.91 of the data sheet's in the median of each of the nine GPUs, at full clock; of block-FP8 products 0.32 to 0.66. Fits
  /// found with it are estimates or ``Quality/dataSheet``, and their spread enters the intervals.
  private static let arithmeticEfficiency = 0.7

  /// Inverse of the arithmetic rate that kernels reach by experience.
  func secondsPerFLOP(_ format: WeightFormat) -> Double { 1 / (Self.arithmeticEfficiency * flops(format)) }
}
