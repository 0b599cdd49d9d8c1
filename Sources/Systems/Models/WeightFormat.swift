/// How weights are stored in GPU memory.
public enum WeightFormat: String, Sendable, Hashable, CaseIterable {
  /// 16 bits a weight (bfloat16; float16 takes as much).
  case bf16
  /// 4 bits a weight and an 8-bit scale for every 32 weights along a row: 4.25 bits a weight.
  ///
  /// OCP Microscaling Formats (MX) Specification 1.0, table 1.
  case mxfp4

  /// Bytes of a matrix, each row's last block of scales counted whole.
  public func bytes(rows: Int, columns: Int) -> Int {
    switch self {
    case .bf16: 2 * rows * columns
    case .mxfp4: rows * ((columns + 1) / 2 + (columns + 31) / 32)
    }
  }
}
