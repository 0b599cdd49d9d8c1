import TestSupport
import Testing

@testable import Systems

/// Compressed convolutional attention, by the closed forms of its weights, bytes and operations.
@Suite struct CompressedAttentionTests {
  /// The attention of ZAYA1-8B beside its residual stream of 2048: half of 16 query heads, an eighth for KV.
  private let attention = CompressedAttention(heads: 8, keyValueHeads: 2, headDim: 128)

  @Test("its weights are projections, taps, biases and temperatures")
  func weights() {
    let (h, d, q, g) = (2048, 128, 8, 2)
    let projections = h * q * d + h * g * d + 2 * h * g * d / 2 + q * d * h
    let convolutions = (q + g) * d * (2 + 1) + (q + g) * d * d * 2 + (q + g) * d
    let count = attention.parameters(hidden: h)
    #expect(count == projections + convolutions + g)
    #expect(count == 5_575_682)
  }

  @Test("a model is converted to 8 times smaller KV than as many key-value heads as query heads had")
  func conversion() throws {
    let llama = try shipped("llama-3.1-8b")
    let model = try llama.compressed(queries: 2, keyValues: 8)
    #expect(model.name == "llama-3.1-8b+cca[q=2,kv=8]")
    #expect(model.heads == 16 && model.keyValueHeads == 4)
    let shard = try model.shard(over: 1)
    #expect(shard.keyValueBytesPerToken == 2 * 32 * 128 * 2 * 32 / 8)
    #expect(shard.stateBytesPerSequence == 32 * 2 * (2 * (16 + 4) * 128 + 4 * 128 / 2))
    #expect(shard.weightBytes == 2 * model.parameters)
    let projections = 32 * 4096 * 128 * (2 * 32 + 2 * 8 - 2 * 16 - 2 * 4)
    let convolutions = 32 * (20 * 128 * 3 + 20 * 128 * 128 * 2 + 20 * 128 + 4)
    #expect(model.parameters == llama.parameters - projections + convolutions)
  }

  @Test("every GPU keeps all of it, its KV and its state")
  func replicas() throws {
    let model = try shipped("qwen3-30b-a3b").compressed(queries: 2, keyValues: 8)
    let (one, four) = (try model.shard(over: 1), try model.shard(over: 4))
    #expect(one.keyValueBytesPerToken == four.keyValueBytesPerToken)
    #expect(one.stateBytesPerSequence == four.stateBytesPerSequence)
    #expect(one.kinds[0].mixer == four.kinds[0].mixer)
    #expect(four.heads == 16 && four.expertIntermediate == one.expertIntermediate / 4)
  }

  @Test("ZAYA1-8B has the published weights, KV and state")
  func zaya() throws {
    let model = try shipped("zaya1-8b")
    let attention = model.layers * self.attention.parameters(hidden: model.hidden)
    #expect(attention + model.layers * model.experts * model.parametersPerExpert == 8_276_090_960)
    #expect(model.bytesPerExpert == 25_165_824)
    let shard = try model.shard(over: 1)
    #expect(shard.keyValueBytesPerToken == 40_960)
    #expect(shard.stateBytesPerSequence == 215_040)
    #expect(shard.weightBytes == 2 * model.parameters)
    #expect(shard.kinds[0].cache.bytes(tokens: 10) == 10 * 1024 + 5376)
  }

  @Test(
    "what cannot be converted is refused in one line",
    arguments: [
      ("deepseek-v3", 2, 8, "not all of its layers"), ("gpt-oss-20b", 2, 8, "not all of its layers"),
      ("qwen3-next-80b-a3b", 2, 8, "not all of its layers"), ("llama-3.1-8b", 3, 8, "q that divides kv"),
      ("llama-3.1-8b", 8, 2, "q that divides kv"), ("llama-3.1-8b", 1, 64, "divides the 32 query heads"),
    ])
  func refused(name: String, queries: Int, keyValues: Int, text: String) throws {
    let error = try #require(throws: DescriptionError.self) {
      try shipped(name).compressed(queries: queries, keyValues: keyValues)
    }
    #expect(error.description.contains(text) && !error.description.contains("\n"))
  }
}
