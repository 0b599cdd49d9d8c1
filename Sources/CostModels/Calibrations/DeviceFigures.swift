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
  /// Dense FP8 arithmetic rate of the data sheet, in floating-point operations per second.
  public let fp8FLOPs: Double

  package init(
    multiprocessors: Int, memoryBandwidth: Double, memoryEfficiency: Double, bf16FLOPs: Double,
    fp8FLOPs: Double
  ) {
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
  }

  /// The data sheet's arithmetic rate with weights of a format, which four-bit weights do not raise on Hopper.
  package func flops(_ format: WeightFormat) -> Double { format == .fp8 ? fp8FLOPs : bf16FLOPs }

  /// Inverse of the bandwidth that kernels reach by experience.
  var secondsPerByte: Double { 1 / (memoryBandwidth * memoryEfficiency) }
}
