/// How weights are stored in GPU memory.
public enum WeightFormat: String, Codable, Sendable, Hashable, CaseIterable {
  /// 16 bits a weight (bfloat16; float16 takes as much).
  case bf16
  /// 8 bits a weight.
  case fp8
  /// 4 bits a weight and an 8-bit scale for every 32 weights along a row: 4.25 bits a weight.
  ///
  /// OCP Microscaling Formats (MX) Specification 1.0, table 1.
  case mxfp4

  /// Bytes of a matrix, each row's last block of scales counted whole.
  public func bytes(rows: Int, columns: Int) -> Int {
    switch self {
    case .bf16: 2 * rows * columns
    case .fp8: rows * columns
    case .mxfp4: rows * ((columns + 1) / 2 + (columns + 31) / 32)
    }
  }

  /// Bytes of a weight, its share of the scale included.
  public var bytesPerWeight: Double {
    switch self {
    case .bf16: 2
    case .fp8: 1
    case .mxfp4: 4.25 / 8
    }
  }
}
