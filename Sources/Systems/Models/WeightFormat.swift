/// How numbers are stored in GPU memory: the weights of a matrix, or keys and values.
public enum WeightFormat: String, Codable, Sendable, Hashable, CaseIterable {
  /// 16 bits a weight (bfloat16; float16 takes as much).
  case bf16
  /// 8 bits a weight, one scale for the matrix or for each row; products are computed in FP8.
  case fp8
  /// 8 bits a weight and a 32-bit scale for each block of 128 x 128; activations are quantised on the way.
  case fp8Block = "fp8_block"
  /// 4 bits a weight and an 8-bit scale for every 32 weights along a row: 4.25 bits a weight.
  ///
  /// OCP Microscaling Formats (MX) Specification 1.0, table 1.
  case mxfp4
  /// The same weights, multiplied by activations in MXFP8.
  case mxfp4MXFP8 = "mxfp4_mxfp8"
  /// The same weights, padded, in Marlin's kernels, which multiply them with activations in 16 bits.
  case mxfp4Marlin = "mxfp4_marlin"
  /// 4 bits a weight and an 8-bit scale for every 16 weights along a row; products are computed in FP4.
  case nvfp4
  /// The same weights, multiplied by activations in 16 bits.
  case nvfp4W4A16 = "nvfp4_w4a16"
  /// 4 bits a weight, with a 16-bit scale and a 4-bit zero for every 128 along a row; activations stay 16-bit.
  case int4
  /// The same with groups of 64.
  case int4Groups64 = "int4_groups_64"
  /// 4 bits a weight and a 16-bit scale for every 32 along a row, symmetric: no zeros.
  case int4Groups32 = "int4_groups_32"
  /// 8 bits a weight and a 16-bit scale for every 128 along a row; activations stay 16-bit.
  case int8
  /// 8 bits a weight, one scale for each row; products are computed in INT8.
  case int8W8A8 = "int8_w8a8"

  /// Whether products multiply 8 or 4 bits with each other, and not 16.
  public var multipliesNarrow: Bool {
    switch self {
    case .fp8, .fp8Block, .mxfp4MXFP8, .nvfp4, .int8W8A8: true
    case .bf16, .mxfp4, .mxfp4Marlin, .nvfp4W4A16, .int4, .int4Groups64, .int4Groups32, .int8: false
    }
  }

  /// Bytes of a matrix, each row's last block of scales counted whole; scales of rows and matrices are left out.
  public func bytes(rows: Int, columns: Int) -> Int {
    func groups(of size: Int) -> Int { (columns + size - 1) / size }
    return switch self {
    case .bf16: 2 * rows * columns
    case .fp8, .int8W8A8: rows * columns
    case .fp8Block: rows * columns + 4 * ((rows + 127) / 128) * groups(of: 128)
    case .mxfp4, .mxfp4MXFP8, .mxfp4Marlin: rows * ((columns + 1) / 2 + groups(of: 32))
    case .nvfp4, .nvfp4W4A16: rows * ((columns + 1) / 2 + groups(of: 16))
    case .int4: rows * ((columns + 1) / 2) + (5 * rows * groups(of: 128) + 1) / 2
    case .int4Groups64: rows * ((columns + 1) / 2) + (5 * rows * groups(of: 64) + 1) / 2
    case .int4Groups32: rows * ((columns + 1) / 2 + 2 * groups(of: 32))
    case .int8: rows * (columns + 2 * groups(of: 128))
    }
  }

  /// Bytes of a weight, its share of the scale included.
  public var bytesPerWeight: Double {
    switch self {
    case .bf16: 2
    case .fp8, .int8W8A8: 1
    case .fp8Block: 1 + 4.0 / 16_384
    case .mxfp4, .mxfp4MXFP8, .mxfp4Marlin: 4.25 / 8
    case .nvfp4, .nvfp4W4A16, .int4Groups32: 4.5 / 8
    case .int4: (4 + 20.0 / 128) / 8
    case .int4Groups64: (4 + 20.0 / 64) / 8
    case .int8: 1 + 2.0 / 128
    }
  }

  /// The format by whose measurements this one is priced: kernels are the same whatever the size of the groups, and Marlin's
  /// are one template for all weights of 4 bits.
  public var measuredAs: WeightFormat {
    switch self {
    case .int4Groups64, .int4Groups32, .mxfp4Marlin: .int4
    default: self
    }
  }

  /// The widths of an expert as its kernels have them.
  ///
  /// Marlin's want a multiple of 256 outside and of 128 inside, and engines fill up with zeros: in memory, on the way from it, and
  /// in the products (vLLM's `mxfp4_round_up_hidden_size_and_intermediate_size`, Apache-2.0).
  package func padded(hidden: Int, intermediate: Int) -> (hidden: Int, intermediate: Int) {
    guard self == .mxfp4Marlin else { return (hidden, intermediate) }
    return ((hidden + 255) / 256 * 256, (intermediate + 127) / 128 * 128)
  }

  /// Whether experts in this format are computed in tiles of tokens of a size that grows with the rows: Triton's MXFP4
  /// kernels, on Blackwell those of MXFP4 with MXFP8 activations, and Marlin's.
  package var hasGrowingTiles: Bool { self == .mxfp4 || self == .mxfp4MXFP8 || usesMarlin }

  /// Whether Marlin's kernels compute experts in this format: those of 4-bit weights and 16-bit activations.
  package var usesMarlin: Bool { measuredAs == .int4 }

  /// Whether a part of what experts in this format take is in whole tiles of 128 tokens: products in FP8.
  package var hasFixedTiles: Bool { self == .fp8 || self == .fp8Block }
}
