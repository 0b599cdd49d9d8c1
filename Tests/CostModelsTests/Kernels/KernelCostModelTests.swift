import CostModels
import Serving
import Systems
import Testing

/// What the cost model does beside adding kernels up: power, padding, borders, flags and totals.
@Suite struct KernelCostModelTests {
  private let prefill = Step(tiles: [.init(tokens: 512, layers: 0..<2, finishes: true)])
  private let decode = Step(contexts: Array(repeating: 300, count: 16))

  @Test func energyIsIdlePowerAndBytesAndOperations() throws {
    var system = try ToySystem(gpus: 2)
    try system.hardware.set("energy.idle_w=80")
    try system.hardware.set("energy.per_byte_pj=50")
    try system.hardware.set("energy.per_flop_pj=0.25")
    try system.hardware.set("energy.busy_w=40")
    try system.hardware.set("power.sustained_ms=1000")
    var model = try system.costModel()
    for step in [prefill, decode] {
      model.logsKernels = true
      let cost = model.cost(of: step)
      let uses = model.takeIterationKernels()
      let bytes = uses.reduce(0) { $0 + $1.bytes }
      let flops = uses.reduce(0) { $0 + $1.flops }
      let moved = cost.expertBytes + cost.weightBytes + cost.kvBytes + cost.activationBytes
      #expect(isClose(moved, bytes))
      let expected = 2 * 80 * cost.seconds + 2 * 40 * cost.kernelSeconds + 50e-12 * bytes + 0.25e-12 * flops
      #expect(isClose(cost.joules, expected))
      let dynamic = uses.reduce(0) { $0 + $1.joules }
      #expect(isClose(dynamic + 160 * cost.seconds, cost.joules))
    }
    #expect(model.idleWatts == 160)
  }

  @Test func aLongLaunchDrawsWhatTheLimitLeftItWhenItWasMeasured() throws {
    var system = try ToySystem()
    try system.hardware.set("energy.idle_w=100")
    try system.hardware.set("energy.busy_w=0")
    try system.hardware.set("energy.per_byte_pj=0")
    try system.hardware.set("energy.per_flop_pj=1")
    try system.hardware.set("power.measured_at_w=10000")
    var free = try system.costModel()
    let product = try #require(free.use(of: prefill)["qkv_gemm"])
    let watts = product.joules / product.seconds
    #expect(isClose(product.joules, product.flops * 1e-12))

    // Half of the power above idle: the time is that of the table, the energy is what flowed in it.
    try system.hardware.set("power.measured_at_w=\(100 + watts / 2)")
    try system.hardware.set("power.sustained_ms=0.001")
    var sustained = try system.costModel()
    let long = try #require(sustained.use(of: prefill)["qkv_gemm"])
    #expect(long.seconds == product.seconds)
    #expect(isClose(long.joules, product.joules / 2))

    // A launch that is too short to have been slowed down draws all that it would.
    try system.hardware.set("power.sustained_ms=100")
    var short = try system.costModel()
    #expect(short.use(of: prefill)["qkv_gemm"] == product)
  }

  @Test func theLimitDoesNotChangeThePriceOfAKernel() throws {
    var system = try ToySystem()
    var free = try system.costModel()
    try system.hardware.set("power.limit_w=200")
    var limited = try system.costModel()
    #expect(limited.cost(of: prefill) == free.cost(of: prefill))
  }

  @Test func messagesFromTheLimitOnGoToNCCL() throws {
    var system = try ToySystem(gpus: 2)
    // 16 rows of 256 numbers take 8192 bytes.
    try system.engine.set("all_reduce.custom_limit_bytes=8192")
    var model = try system.costModel()
    func seconds(rows: Int) throws -> Double {
      let use = try #require(model.use(of: Step(contexts: Array(repeating: 1, count: rows)))["all_reduce"])
      return use.seconds / Double(use.calls)
    }
    let custom = 5e-6 + 1e-11 * 15 * 512
    let nccl = 1e-5 + 1e-11 * 16 * 512 + 2e-9 * (16.0 * 512).squareRoot()
    #expect(isClose(try seconds(rows: 15), custom))
    #expect(isClose(try seconds(rows: 16), nccl))
  }

  @Test func rowsArePaddedToTheNextGraph() throws {
    var system = try ToySystem()
    try system.engine.set("graphs.sizes=8,24")
    try system.engine.set("host.graph_layer_us=1000")
    try system.engine.set("host.eager_layer_us=7000")
    var model = try system.costModel()
    func step(_ rows: Int) -> Step { Step(contexts: Array(repeating: 1, count: rows)) }
    // The kernels of a layer run on padded rows; attention, KV entries, embedding and head on those with a token.
    #expect(model.use(of: step(9))["qkv_gemm"] == model.use(of: step(24))["qkv_gemm"])
    #expect(isClose(model.use(of: step(8))["qkv_gemm"]?.flops, 2 * 2 * 8 * 256 * 1024))
    #expect(isClose(model.use(of: step(25))["qkv_gemm"]?.flops, 2 * 2 * 25 * 256 * 1024))
    #expect(isClose(model.use(of: step(9))["qk_norm_rope_kv"]?.bytes, 2 * (24 * 4 * 1024 + 9 * 2 * 512)))
    #expect(isClose(model.use(of: step(9))["decode_attention"]?.flops, 2 * 4 * 512 * 9))
    #expect(isClose(model.use(of: step(9))["lm_head"]?.flops, 2 * 9 * 256 * 1000))
    // Launching bounds the time of an iteration, from a graph or without one.
    #expect(isClose(model.cost(of: step(24)).seconds, 2e-3))
    #expect(isClose(model.cost(of: step(25)).seconds, 14e-3))
    #expect(model.cost(of: step(24)).kernelSeconds < 1e-3)
  }

  @Test func paddedRowsAreRoutedToNoExpertButComputed() throws {
    var toy = ToyModel()
    toy.experts = 8
    toy.topK = 2
    var system = try ToySystem(toy)
    try system.engine.set("graphs.sizes=64")
    var model = try system.costModel()
    let cost = model.cost(of: Step(contexts: [1]))
    #expect(isClose(cost.experts, 2 * 2), "one token of two experts in each of two layers")
    #expect(isClose(model.kernels.byName["expert_mlp"]?.flops, 2 * 64 * 2 * 6 * 256 * 512))
  }

  @Test func whatLiesOutsideTheMeasuredIsFlagged() throws {
    var system = try ToySystem()
    system.calibration.fits["gemm bf16"]?[[1024, 256]]?.measured = [4...16]
    system.calibration.fits["decode_attention bf16"]?[[8, 4, 64, 0]]?.measured = [2...16, 32...4800]
    system.calibration.fits["prefill_attention bf16"]?[[8, 4, 64, 0]]?.measured = [1...40, 0...600, 0...100]
    var model = try system.costModel()
    func flagged(_ kernel: String, _ step: Step) -> Int? { model.use(of: step)[kernel]?.extrapolatedCalls }
    func decode(_ sequences: Int, _ context: Int) -> Step {
      Step(contexts: Array(repeating: context, count: sequences))
    }
    #expect(flagged("decode_attention", decode(16, 300)) == 0)
    #expect(flagged("decode_attention", decode(2, 16)) == 0)
    #expect(flagged("decode_attention", decode(16, 301)) == 2, "more keys than were measured")
    #expect(flagged("decode_attention", decode(2, 15)) == 2, "fewer keys")
    #expect(flagged("decode_attention", decode(17, 200)) == 2, "more sequences")
    #expect(flagged("decode_attention", decode(1, 200)) == 2, "fewer sequences")
    #expect(flagged("qkv_gemm", decode(4, 1)) == 0)
    #expect(flagged("qkv_gemm", decode(16, 1)) == 0)
    #expect(flagged("qkv_gemm", decode(17, 1)) == 2)
    #expect(flagged("qkv_gemm", decode(3, 1)) == 2)
    func prefill(_ tokens: Int, _ prefix: Int) -> Step {
      Step(tiles: [.init(tokens: tokens, prefix: prefix, layers: 0..<2)])
    }
    // Two query heads share a key-value head: a tile holds 64 tokens, and 512 make 8 tiles of each of 4 heads.
    #expect(flagged("prefill_attention", prefill(512, 0)) == 0)
    #expect(flagged("prefill_attention", prefill(512, 100)) == 0)
    #expect(flagged("prefill_attention", prefill(512, 101)) == 2, "a longer prefix")
    #expect(flagged("prefill_attention", prefill(704, 0)) == 2, "more blocks")
    #expect(flagged("prefill_attention", prefill(64, 800)) == 2, "more keys")

    // Other heads' coefficients are not measured, wherever the launch lies.
    system.calibration.fits["decode_attention bf16"] = [[8, 4, 32, 0]: .init(values: [1e-6, 0, 0, 0, 0, 0])]
    var carried = try system.costModel()
    #expect(carried.use(of: decode(8, 100))["decode_attention"]?.extrapolatedCalls == 2)
  }

  @Test func decodeStepsPricedInOneGoAreFlaggedToo() throws {
    var system = try ToySystem()
    system.calibration.fits["decode_attention bf16"]?[[8, 4, 64, 0]]?.measured = [1...16, 1...1000]
    var model = try system.costModel()
    // 4 sequences of 249 keys: the first step sees 996, the second 1000, the other three more.
    _ = model.costs(ofDecodeSteps: 5, contexts: Array(repeating: 249, count: 4))
    #expect(model.kernels.byName["decode_attention"]?.calls == 10)
    #expect(model.kernels.byName["decode_attention"]?.extrapolatedCalls == 6)
  }

  @Test func totalsAreTheSumOverTheIterations() throws {
    var toy = ToyModel()
    toy.experts = 8
    toy.topK = 2
    var model = try ToySystem(toy, gpus: 2).costModel()
    model.logsKernels = true
    var totals: [String: KernelUse] = [:]
    var seconds = 0.0
    let mixed = Step(
      contexts: [10, 20, 30], tiles: [.init(tokens: 100, prefix: 50, layers: 0..<1)])
    for step in [prefill, decode, mixed, decode, mixed, prefill] {
      seconds += model.cost(of: step).kernelSeconds
      totals.merge(model.takeIterationKernels().byName) { $0 + $1 }
    }
    let kernels = model.kernels.byName
    #expect(kernels.keys.sorted() == totals.keys.sorted())
    for (name, total) in totals {
      #expect(kernels[name]?.calls == total.calls)
      #expect(isClose(kernels[name]?.seconds, total.seconds))
      #expect(isClose(kernels[name]?.joules, total.joules))
      #expect(isClose(kernels[name]?.bytes, total.bytes))
    }
    let sum = kernels.values.reduce(0) { $0 + $1.seconds }
    #expect(isClose(sum, seconds))
  }

  @Test func kernelFactorsOfAnEngineStretchTheirOwnKernels() throws {
    var toy = ToyModel()
    toy.experts = 8
    toy.topK = 2
    var system = try ToySystem(toy)
    var tuned = try system.costModel()
    try system.engine.set("kernel_scale.attention=3")
    try system.engine.set("kernel_scale.expert_mlp=5")
    try system.engine.set("kernel_scale.other=7")
    var slow = try system.costModel()
    let step = Step(contexts: [100, 200], tiles: [.init(tokens: 50, layers: 0..<2)])
    let (before, after) = (tuned.use(of: step), slow.use(of: step))
    for (name, use) in after {
      let factor = name == "expert_mlp" ? 5.0 : name.hasSuffix("attention") ? 3 : 7
      #expect(isClose(use.seconds, factor * (before[name]?.seconds ?? 0)), "\(name)")
    }
  }

  @Test func stagesOfALayeredPrefillEmbedAndReduceAgainWhereTheEngineDoes() throws {
    var system = try ToySystem()
    let stage = Step(contexts: [10], tiles: [.init(tokens: 30, layers: 1..<2)])
    try system.engine.set("repeats.embedding_and_head=true")
    var model = try system.costModel()
    let uses = model.use(of: stage)
    #expect(isClose(uses["embedding"]?.bytes, 31 * 4 * 256))
    #expect(isClose(uses["lm_head"]?.flops, 2 * 2 * 256 * 1000))
  }
}
