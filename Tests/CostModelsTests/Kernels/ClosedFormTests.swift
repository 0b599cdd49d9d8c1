import CostModels
import Serving
import Testing

/// Bytes and operations of every kernel of a toy model of two layers, worked out by hand.
///
/// Residual stream 256, 8 query and 4 key-value heads of 64, vocabulary 1000; 10 decoding sequences that see 1000 keys
/// together, and a prompt of 6 tokens behind 30 others: 16 rows in both layers. Weights and activations take two bytes.
@Suite struct ClosedFormTests {
  private let step = Step(
    contexts: Array(repeating: 100, count: 10),
    tiles: [.init(tokens: 6, prefix: 30, layers: 0..<2, finishes: true)])

  private var experts: ToyModel {
    var model = ToyModel()
    model.experts = 8
    model.topK = 2
    return model
  }

  private func uses(_ model: ToyModel, gpus: Int) throws -> [String: KernelUse] {
    var system = try ToySystem(model, gpus: gpus)
    // Every call reads 3 experts, whatever it computes.
    if model.experts > 0 { system.routing = .coverage([CoveragePoint(tokens: 1, experts: 3)]) }
    var model = try system.costModel()
    return model.use(of: step)
  }

  private func check(
    _ use: KernelUse?, calls: Int, flops: Double, bytes: Double,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(use?.calls == calls, sourceLocation: sourceLocation)
    #expect(use?.extrapolatedCalls == 0, sourceLocation: sourceLocation)
    #expect(use?.flops == flops, sourceLocation: sourceLocation)
    #expect(use?.bytes == bytes, sourceLocation: sourceLocation)
  }

  @Test(arguments: [1, 2]) func ofADenseModel(gpus: Int) throws {
    let uses = try uses(ToyModel(), gpus: gpus)
    let n = Double(gpus)
    // A sum of bytes is of all GPUs: what is split counts once, what every GPU does counts for each.
    check(uses["embedding"], calls: 1, flops: 0, bytes: n * 16 * (2 + 2) * 256)
    check(uses["rms_norm"], calls: 5, flops: 0, bytes: n * 4 * (2 * 2 * 16 + 11) * 2 * 256)
    // 8 + 4 + 4 heads of 64 make 1024 columns.
    check(
      uses["qkv_gemm"], calls: 2, flops: 2 * 2 * 16 * 256 * 1024,
      bytes: 2 * (2 * 256 * 1024 + 2 * 16 * (n * 256 + 1024)))
    check(
      uses["qk_norm_rope_kv"], calls: 2, flops: 0, bytes: 2 * 16 * (2 * 2 * 1024 + 2 * 512))
    check(
      uses["o_gemm"], calls: 2, flops: 2 * 2 * 16 * 512 * 256,
      bytes: 2 * (2 * 512 * 256 + 2 * 16 * (512 + n * 256)))
    check(
      uses["decode_attention"], calls: 2, flops: 2 * 4 * 512 * 1000,
      bytes: 2 * (4 * 256 * 1000 + 4 * 512 * 10))
    // Token i of 6 sees 30 + i keys: 31 + 32 + 33 + 34 + 35 + 36 = 201 pairs.
    check(
      uses["prefill_attention"], calls: 2, flops: 2 * 4 * 512 * 201,
      bytes: 2 * (4 * 256 * 36 + 4 * 512 * 6))
    check(
      uses["gate_up_gemm"], calls: 2, flops: 2 * 2 * 16 * 256 * 1024,
      bytes: 2 * (2 * 256 * 1024 + 2 * 16 * (n * 256 + 1024)))
    check(uses["silu_mul"], calls: 2, flops: 0, bytes: 2 * 2 * 16 * 3 * 512)
    check(
      uses["down_gemm"], calls: 2, flops: 2 * 2 * 16 * 512 * 256,
      bytes: 2 * (2 * 512 * 256 + 2 * 16 * (512 + n * 256)))
    // 10 sequences and the prompt's last token.
    check(
      uses["lm_head"], calls: 1, flops: 2 * 11 * 256 * 1000,
      bytes: 2 * 256 * 1000 + 2 * 11 * (n * 256 + 1000))
    check(uses["sampling"], calls: 1, flops: 0, bytes: n * 2 * 11 * 1000)
    if gpus == 1 {
      #expect(uses["all_reduce"] == nil)
    } else {
      // Two in each layer and one behind the embedding; what a GPU reads is also sent.
      check(uses["all_reduce"], calls: 5, flops: 0, bytes: n * 5 * 2 * 2 * 16 * 256)
    }
    #expect(uses.count == (gpus == 1 ? 12 : 13))
  }

  @Test(arguments: [1, 2]) func ofAMixtureOfExperts(gpus: Int) throws {
    let uses = try uses(experts, gpus: gpus)
    let dense = try self.uses(ToyModel(), gpus: gpus)
    let n = Double(gpus)
    check(
      uses["router_gemm"], calls: 2, flops: n * 2 * 2 * 16 * 256 * 8,
      bytes: n * 2 * (2 * 256 * 8 + 2 * 16 * (256 + 8)))
    // 3 experts of 3 matrices each; every row passes 2 of them.
    check(
      uses["expert_mlp"], calls: 2, flops: 2 * 16 * 2 * 6 * 256 * 512,
      bytes: 2 * (3 * 3 * 256 * 512 * 2 + 2 * 16 * (2 * (n * 5 * 256 + 6 * 512) + n * 256)))
    for name in ["gate_up_gemm", "silu_mul", "down_gemm"] { #expect(uses[name] == nil) }
    for name in [
      "embedding", "rms_norm", "qkv_gemm", "qk_norm_rope_kv", "o_gemm", "decode_attention",
      "prefill_attention",
      "lm_head", "sampling", "all_reduce",
    ] { #expect(uses[name] == dense[name], "\(name) does not depend on the MLP") }
  }

  @Test func expertsOfFourBitsTakeTheirScales() throws {
    var model = experts
    let wide = try uses(model, gpus: 1)["expert_mlp"]
    model.isMXFP4 = true
    let narrow = try uses(model, gpus: 1)["expert_mlp"]
    let saved = try #require(wide).bytes - (try #require(narrow).bytes)
    // 16 bits become 4 and a share of 8 for 32 weights.
    #expect(isClose(saved, 2 * 9 * 256 * 512 * (16 - 4.25) / 8))
  }

  @Test func aWindowCutsWhatAttentionReads() throws {
    var model = ToyModel()
    model.window = 34
    let uses = try uses(model, gpus: 1)
    check(
      uses["decode_attention"], calls: 2, flops: 2 * 4 * 512 * 340,
      bytes: 2 * (4 * 256 * 340 + 4 * 512 * 10))
    // The tokens see 31, 32, 33 and then 34 keys; all keys are read, since the first token's window begins before them.
    check(
      uses["prefill_attention"], calls: 2, flops: 2 * 4 * 512 * (31 + 32 + 33 + 3 * 34),
      bytes: 2 * (4 * 256 * 36 + 4 * 512 * 6))
  }

  @Test func aWindowOfSomeLayersLeavesTheOthersAlone() throws {
    var model = experts
    model.window = 34  // of the first layer
    let uses = try uses(model, gpus: 1)
    #expect(isClose(uses["decode_attention"]?.flops, 4 * 512 * (340 + 1000)))
    #expect(isClose(uses["prefill_attention"]?.flops, 4 * 512 * (31 + 32 + 33 + 3 * 34 + 201)))
  }

  @Test func layersThatATileLeavesOutCarryTheDecodesAlone() throws {
    var model = try ToySystem().costModel()
    var part = step
    part.tiles[0].layers = 1..<2
    let whole = model.use(of: step)
    let uses = model.use(of: part)
    #expect(isClose(uses["qkv_gemm"]?.flops, 2 * (10 + 16) * 256 * 1024))
    #expect(uses["prefill_attention"]?.calls == 1)
    #expect(isClose(uses["prefill_attention"]?.flops, 4 * 512 * 201))
    #expect(uses["decode_attention"] == whole["decode_attention"])
    // The prompt's rows were embedded when they entered the first layer.
    #expect(isClose(uses["embedding"]?.bytes, 10 * (2 + 2) * 256))
    part = step
    part.tiles[0].layers = 0..<1
    part.tiles[0].finishes = false
    #expect(isClose(model.use(of: part)["lm_head"]?.flops, 2 * 10 * 256 * 1000))
    #expect(model.use(of: part)["embedding"] == whole["embedding"])
  }
}
