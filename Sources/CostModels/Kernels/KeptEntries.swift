import Serving
import Systems

/// How KV entries are kept, and how what is known of prompts' comes about.
public struct KeptEntries: Sendable, Hashable {
  /// How the statistics of prompts' attention come about.
  public enum Statistics: String, Sendable, CaseIterable {
    /// The scores are computed once more, and sums of them kept: as long as attention itself.
    case secondPass = "second-pass"
    /// Attention is written out, as in the published code: each probability, of pairs that are masked as well, is written twice
    /// and read four times in 16 bits.
    case eager
  }

  /// Passes over the matrix of probabilities in the published code, at least: scores are written, read for the softmax and
  /// written, and read for the product with the values, for the statistics of layers and for those of keys.
  public static let eagerPasses = 6

  /// How many entries are kept.
  public var retention: Retention
  /// How the statistics come about.
  public var statistics: Statistics

  /// Creates a way to keep entries.
  public init(_ retention: Retention, statistics: Statistics = .secondPass) {
    self.retention = retention
    self.statistics = statistics
  }
}

extension ModelShard {
  /// Bytes of the KV entries of a sequence in one layer on each GPU: 16 bits a number, and 8 bits with two 32-bit scales.
  public func bytesPerLayer(entries: Int, narrow: Int) -> Int {
    let width = 2 * keyValueHeads * model.headDim
    return (entries - narrow) * 2 * width + narrow * (width + 8)
  }
}
