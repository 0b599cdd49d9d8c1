/// How each kind of a model's matrices is stored.
///
/// Embedding, router and norms are 16-bit in all checkpoints that are read.
public struct MatrixFormats: Sendable, Hashable {
  /// The query, key and value projection.
  public var queryKeyValue = WeightFormat.bf16
  /// The attention's output projection.
  public var output = WeightFormat.bf16
  /// The projections of layers that are a recurrence.
  public var recurrence = WeightFormat.bf16
  /// The matrices of dense MLPs.
  public var dense = WeightFormat.bf16
  /// The routed experts' matrices.
  public var experts = WeightFormat.bf16
  /// The matrices of experts that every token passes.
  public var sharedExperts = WeightFormat.bf16
  /// The projections to the width that routed experts work on, and back.
  public var latents = WeightFormat.bf16
  /// The LM head.
  public var head = WeightFormat.bf16
  /// Keys and values in KV memory: `bf16` or `fp8`.
  public var keyValues = WeightFormat.bf16

  /// Everything in 16 bits.
  public init() {}

  /// The different formats, 16 bits among them only where all is 16-bit.
  public var quantised: Set<WeightFormat> {
    Set([
      queryKeyValue, output, recurrence, dense, experts, sharedExperts, latents, head, keyValues,
    ]).subtracting([.bf16])
  }

  /// The format of a recurrence's projections.
  package func recurrence(of space: StateSpace) -> WeightFormat { space.isWide ? .bf16 : recurrence }

  /// What differs from 16 bits, for reports: `attention fp8, experts fp8_block`.
  public var text: String {
    let attention =
      queryKeyValue == output
      ? [("attention", output)] : [("q, k and v", queryKeyValue), ("attention's output", output)]
    let all =
      attention + [
        ("recurrence", recurrence), ("MLP", dense), ("experts", experts), ("shared experts", sharedExperts),
        ("latent projections", latents), ("LM head", head), ("KV", keyValues),
      ]
    let named = all.filter { $0.1 != .bf16 }.map { "\($0.0) \($0.1.rawValue)" }
    return named.isEmpty ? "all 16-bit" : named.joined(separator: ", ") + ", the rest 16-bit"
  }
}
