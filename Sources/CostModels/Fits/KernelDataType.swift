/// How a kernel's weights are stored.
public enum KernelDataType: String, Codable, Sendable, Hashable, CaseIterable {
  /// Brain floating point, two bytes.
  case bf16
  /// Eight-bit floating point, one byte.
  case fp8
  /// Four-bit floating point in blocks of 32 that share a scale of one byte (OCP Microscaling Formats 1.0).
  case mxfp4

  /// Bytes of a weight, its share of the scale included.
  public var bytes: Double {
    switch self {
    case .bf16: 2
    case .fp8: 1
    case .mxfp4: 4.25 / 8
    }
  }
}
