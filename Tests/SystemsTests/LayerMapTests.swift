import Systems
import TestSupport
import Testing

/// Models whose layers differ are lists of kinds.
@Suite struct LayerMapTests {
  private static let latent = LayerKind.Mixer.latentAttention(
    LatentAttention(heads: 16, queryRank: nil, latent: 512, nope: 128, rope: 64, value: 128))
  /// A dense layer, then two of experts, as in DeepSeek's models; then a recurrence.
  private let map = LayerMap([
    LayerKind(mixer: latent, feedForward: .dense(width: 10_944)),
    LayerKind(
      mixer: latent, feedForward: .experts(count: 64, active: 6, width: 1408, shared: 2816, format: .bf16)),
    LayerKind(
      mixer: latent, feedForward: .experts(count: 64, active: 6, width: 1408, shared: 2816, format: .bf16)),
    LayerKind(
      mixer: .gatedDelta(GatedDelta(keyHeads: 2, valueHeads: 4, keyDim: 64, valueDim: 128, kernel: 4)),
      feedForward: .dense(width: 10_944)),
  ])

  @Test func countsLayersOfAKindInARange() {
    #expect(map.kinds.count == 3)
    #expect(map.kindOfLayer == [0, 1, 1, 2])
    #expect(map.count(of: 1, in: 0..<4) == 2)
    #expect(map.count(of: 1, in: 2..<4) == 1)
    #expect(map.count(of: 0, in: 1..<4) == 0)
  }

  @Test func whatASequenceKeepsDependsOnTheKind() {
    #expect(
      map.kinds.map { $0.cache.bytes(tokens: 1000) } == [
        1_152_000, 1_152_000, 4 * 4 * 64 * 128 + 2 * 3 * 768,
      ])
    let windowed = LayerKind(
      mixer: .attention(GroupedAttention(heads: 8, keyValueHeads: 2, headDim: 64, window: 128)),
      feedForward: .dense(width: 1))
    #expect(windowed.cache.bytes(tokens: 100) == 100 * 512)
    #expect(windowed.cache.bytes(tokens: 1000) == 128 * 512)
  }

  @Test(arguments: ["qwen3-30b-a3b", "gpt-oss-20b", "qwen3-8b", "llama-3.1-8b"], [1, 2, 4])
  func aShareKeepsWhatTheShardSays(name: String, gpus: Int) throws {
    let model = try shipped(name)
    let shard = try model.shard(over: gpus)
    let map = model.layerMap
    #expect(map.count == model.layers)
    #expect(map.kinds.count == (model.windowedLayers > 0 ? 2 : 1))
    for kind in map.kinds {
      // A block table keeps all tokens of a sequence, so one token tells.
      #expect(kind.shared(by: gpus).cache.bytes(tokens: 1) == shard.keyValueBytesPerTokenAndLayer)
    }
  }
}
