/// Attention in a compressed space, behind two short convolutions over queries and keys (CCA, and CCGQA with fewer key heads
/// than query heads; arXiv 2510.04476).
///
/// Queries and keys are projected to narrow heads. They pass a convolution of each channel, and one of each head whose taps are
/// square matrices; the mean of what both were before is added, and they are normalised. Half of a value is projected from the
/// token, the other half from the one before. The rest is ordinary attention. Engines keep whole heads on every GPU.
public struct CompressedAttention: Sendable, Hashable {
  /// Query heads.
  public var heads: Int
  /// Key heads and value heads; divides ``heads``.
  public var keyValueHeads: Int
  /// Width of a head.
  public var headDim: Int
  /// Tokens that the convolution of each channel sees.
  public var channelTaps: Int
  /// Tokens that the convolution of each head sees.
  public var headTaps: Int

  /// Creates an attention; both convolutions see two tokens unless it is said otherwise.
  public init(heads: Int, keyValueHeads: Int, headDim: Int, channelTaps: Int = 2, headTaps: Int = 2) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDim = headDim
    self.channelTaps = channelTaps
    self.headTaps = headTaps
  }

  /// Numbers of a token's queries and keys, which the convolutions pass over.
  public var channels: Int { (heads + keyValueHeads) * headDim }
  /// Columns of the projection of queries, keys and both halves of values.
  public var projectedWidth: Int { (heads + 2 * keyValueHeads) * headDim }
  /// Columns of the queries, and of what attention hands on.
  public var queryWidth: Int { heads * headDim }
  /// Weights of the convolution of each head.
  public var headConvolutionWeights: Int { channels * headDim * headTaps }
  /// Weights of the convolution of each channel, both biases, and the temperatures of key heads.
  var otherParameters: Int { channels * (channelTaps + 1) + channels + keyValueHeads }
  /// Bytes that a sequence keeps in a layer beside its keys and values, 16 bits a number: what the convolutions have yet to
  /// see of the last tokens, and half a value of the last one.
  public var stateBytes: Int {
    2 * ((channelTaps - 1 + headTaps - 1) * channels + keyValueHeads * headDim / 2)
  }

  /// Weights of a layer's projections, convolutions and temperatures.
  func parameters(hidden: Int) -> Int {
    hidden * projectedWidth + queryWidth * hidden + headConvolutionWeights + otherParameters
  }
}

extension ModelDescription {
  /// The model with compressed convolutional attention in place of its own: as many heads of queries as leave a part of them, and
  /// as many of keys and values as leave a part of *those*, as in "queries compressed twice, KV eight times".
  ///
  /// Biases, norms and sinks of the attention that was are gone. What such a model would be worth is not simulated.
  ///
  /// - Parameters:
  ///   - queries: the query heads of the model for each that is left.
  ///   - keyValues: the query heads of the model for each key-value head that is left.
  /// - Returns: the model, whose name says so.
  /// - Throws: ``DescriptionError`` where a layer of the model is no attention over all tokens, or heads do not come out even.
  public func compressed(queries: Int, keyValues: Int) throws(DescriptionError) -> ModelDescription {
    guard latent == nil, compressed == nil, delta == nil, windows.allSatisfy({ $0 == nil }) else {
      throw .mismatch(
        "\(name) cannot have compressed convolutional attention (--attention cca): not all of its layers attend to all "
          + "tokens by keys and values; expected a model such as llama-3.1-8b or qwen3-30b-a3b")
    }
    guard queries >= 1, keyValues >= queries, keyValues.isMultiple(of: queries),
      heads.isMultiple(of: keyValues)
    else {
      throw .invalidSetting(
        path: "--attention", value: "cca[q=\(queries),kv=\(keyValues)]",
        expected: "a kv that divides the \(heads) query heads of \(name), and a q that divides kv")
    }
    var copy = self
    copy.name += "+cca[q=\(queries),kv=\(keyValues)]"
    copy.heads = heads / queries
    copy.keyValueHeads = heads / keyValues
    copy.compressed = CompressedAttention(
      heads: copy.heads, keyValueHeads: copy.keyValueHeads, headDim: headDim)
    (copy.hasQueryKeyValueBias, copy.hasOutputBias, copy.hasAttentionSinks) = (false, false, false)
    (copy.queryKeyNorm, copy.hasOutputGate) = (.none, false)
    return copy
  }
}
