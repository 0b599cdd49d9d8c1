import CostModels
import Foundation
import Serving
import Statistics
import Systems
import TestSupport
import Testing

/// The cost model and the naive one agree on whatever is drawn.
@Suite struct NaiveCostModelTests {
  /// Checks one cost against another: 1e-12 of the largest figure of its kind.
  private func check(_ cost: StepCost, _ expected: StepCost, _ what: Comment) {
    func close(_ figure: String, _ value: Double, _ expected: Double, scale: Double) {
      #expect((value - expected).magnitude <= 1e-12 * scale, "\(figure): \(value), not \(expected); \(what)")
    }
    close("seconds", cost.seconds, expected.seconds, scale: expected.seconds)
    close("kernel seconds", cost.kernelSeconds, expected.kernelSeconds, scale: expected.kernelSeconds)
    close("experts", cost.experts, expected.experts, scale: expected.experts)
    close("expert bytes", cost.expertBytes, expected.expertBytes, scale: expected.expertBytes)
    close(
      "decode expert bytes", cost.decodeExpertBytes, expected.decodeExpertBytes,
      scale: expected.expertBytes)
    close(
      "weight bytes", cost.weightBytes, expected.weightBytes,
      scale: expected.weightBytes + expected.expertBytes)
    close("KV bytes", cost.kvBytes, expected.kvBytes, scale: expected.kvBytes)
    close("activation bytes", cost.activationBytes, expected.activationBytes, scale: expected.activationBytes)
    for (figure, path) in [
      ("decode row joules", \StepCost.decodeRowJoules), ("decode context joules", \.decodeContextJoules),
      ("prefill row joules", \.prefillRowJoules), ("prefill context joules", \.prefillContextJoules),
    ] {
      close(figure, cost[keyPath: path], expected[keyPath: path], scale: expected.joules)
    }
  }

  private func check(_ uses: [KernelUse], _ expected: [String: KernelUse], _ what: Comment) {
    #expect(Set(uses.map(\.kernel)) == Set(expected.keys), what)
    for use in uses {
      guard let expected = expected[use.kernel] else { continue }
      #expect(use.calls == expected.calls, "\(use.kernel); \(what)")
      #expect(use.extrapolatedCalls == expected.extrapolatedCalls, "\(use.kernel); \(what)")
      for path in [\KernelUse.seconds, \.joules, \.flops, \.bytes] {
        let (value, wanted) = (use[keyPath: path], expected[keyPath: path])
        #expect((value - wanted).magnitude <= 1e-12 * wanted, "\(use.kernel); \(what)")
      }
    }
  }

  @Test(arguments: 0..<100) func agreesOnRandomIterations(seed: UInt64) throws {
    var random = SplitMix64(seed: seed, purpose: "naive cost model")
    let system = try ToySystem(using: &random)
    let naive = try system.naive()
    var model = try system.costModel()
    model.logsKernels = seed.isMultiple(of: 2)
    var totals: [String: KernelUse] = [:]
    for number in 0..<12 {
      // Some come again, changed in nothing or in their decodes alone: what is remembered must not be stale.
      var step = Step(layers: system.model.layers, using: &random)
      for again in 0..<3 {
        let what: Comment = "iteration \(number), time \(again), of \(system.model) on \(system.gpus) GPUs"
        let expected = naive.price(step)
        check(model.cost(of: step), expected.cost, what)
        if model.logsKernels { check(model.takeIterationKernels(), expected.uses, what) }
        totals.merge(expected.uses) { $0 + $1 }
        if again == 1, !step.tiles.isEmpty { step.contexts = step.contexts.map { $0 + 1 } + [7] }
      }
    }
    check(model.kernels, totals, "all iterations of \(system.model) on \(system.gpus) GPUs")
  }

  /// Mamba-1, and half-layers with experts that have no gates, in a space of their own or not.
  @Test(arguments: 0..<60) func agreesOnMambaAndHalfLayers(seed: UInt64) throws {
    var random = SplitMix64(seed: seed, purpose: "naive half-layers")
    var system = try ToySystem(using: &random)
    var model = ToyModel()
    (model.hidden, model.layers, model.isStateSpace) = (system.model.hidden, 2 + Int(seed % 5), true)
    if seed.isMultiple(of: 2) {
      model.isSelective = true
      system.expertRanks = 1
    } else {
      (model.isHalved, model.experts, model.topK) = (true, 8, 2)
      model.layers += 1
      model.expertLatent = seed % 4 == 1 ? 64 : nil
      system.expertRanks = seed % 3 == 0 ? system.gpus : 1
    }
    try system.engine.set("experts.balanced=false")
    try system.engine.set("experts.redundant=0")
    system.model = model
    system.calibration = ToyCalibration(
      for: model, gpus: system.gpus, expertRanks: system.expertRanks, isDrawn: true, using: &random)
    let naive = try system.naive()
    var meter = try system.costModel()
    var totals: [String: KernelUse] = [:]
    for number in 0..<12 {
      let step = Step(layers: model.layers, using: &random)
      let what: Comment = "iteration \(number), of \(model) on \(system.gpus) GPUs"
      let expected = naive.price(step)
      check(meter.cost(of: step), expected.cost, what)
      totals.merge(expected.uses) { $0 + $1 }
    }
    check(meter.kernels, totals, "all iterations of \(model) on \(system.gpus) GPUs")
  }

  /// Verification, and what makes the drafts: nothing, one layer beside the model, one layer of it, another model.
  @Test(arguments: 0..<120) func agreesOnSpeculation(seed: UInt64) throws {
    var random = SplitMix64(seed: seed, purpose: "naive speculation")
    var system = try ToySystem(using: &random)
    let method = Int(seed % 4)
    let drafts = [1, 2, 3, 5][Int(random.next() % 4)]
    // Models with experts and windows have biases, which a layer of theirs without window would have, too.
    if method == 2, !system.model.isLatent { system.model.window = nil }
    // What drafts for Mamba-2 but other models is not known, and refused.
    if system.model.isStateSpace, method == 1 || method == 2 {
      #expect(throws: DescriptionError.self) {
        try method == 1
          ? Drafter.eagle3(for: system.served(), drafts: drafts, intermediate: 192, vocabulary: 500)
          : Drafter.multiTokenPrediction(for: system.served(), drafts: drafts, law: system.routing)
      }
      system.model.isStateSpace = false
    }
    // What EAGLE-3 would be beside latent or compressed attention is not known, and refused.
    if method == 1, system.model.isLatent || system.model.isCompressed {
      #expect(throws: DescriptionError.self) {
        try Drafter.eagle3(for: system.served(), drafts: drafts, intermediate: 192, vocabulary: 500)
      }
      (system.model.isLatent, system.model.isCompressed, system.model.choosesGroups) = (false, false, false)
      system.model.window = nil
    }
    system.calibration = ToyCalibration(
      for: system.model, gpus: system.gpus, expertRanks: system.expertRanks, isDrawn: true, using: &random)
    let target = try system.served()
    var layer = system.eagle(intermediate: 192, vocabulary: 500)
    var products: [NaiveDrafter.Product] = []
    var drafter: Drafter?
    switch method {
    case 1:
      drafter = try .eagle3(for: target, drafts: drafts, intermediate: 192, vocabulary: 500)
      let projected = NaiveShard(
        layer, gpus: system.gpus, expertRanks: layer.experts > 0 ? system.expertRanks : 1
      ).projected
      products = [
        .init(product: .init(name: "fusion_gemm", n: layer.hidden, k: 3 * layer.hidden), isOnce: true),
        .init(product: .init(name: "fusion_gemm", n: projected, k: layer.hidden), isOnce: false),
      ]
    case 2:
      drafter = try .multiTokenPrediction(for: target, drafts: drafts, law: system.routing)
      layer = try system.naive().model
      // The last layer has experts where any has.
      (layer.layers, layer.denseLayers, layer.isHybrid) = (1, 0, false)
      products = [
        .init(product: .init(name: "fusion_gemm", n: layer.hidden, k: 2 * layer.hidden), isOnce: false)
      ]
    case 3:
      layer = system.eagle(intermediate: 128, vocabulary: system.model.vocabulary)
      layer.layers = 2
      drafter = try .model(layer.read(), for: target, drafts: drafts, law: system.routing)
    default: break
    }
    system.calibration.add(
      NaiveShard(layer, gpus: system.gpus, expertRanks: layer.experts > 0 ? system.expertRanks : 1).products
        + products.map(\.product))
    var naive = try system.naive()
    if method > 0 {
      naive.drafter = NaiveDrafter(
        layer, of: naive, drafts: drafts, products: products, routing: drafter?.routing)
    }
    var model = try system.costModel(width: drafts + 1, drafter: drafter)
    model.logsKernels = seed.isMultiple(of: 8)
    var totals: [String: KernelUse] = [:]
    for number in 0..<12 {
      var step = Step(layers: system.model.layers, using: &random)
      step.width = drafts + 1
      let what: Comment = "method \(method), iteration \(number), of \(system.model) on \(system.gpus) GPUs"
      let expected = naive.price(step)
      check(model.cost(of: step), expected.cost, what)
      if model.logsKernels { check(model.takeIterationKernels(), expected.uses, what) }
      totals.merge(expected.uses) { $0 + $1 }
    }
    check(model.kernels, totals, "all iterations of \(system.model) on \(system.gpus) GPUs")
  }

  /// Prompts that thin out from layer to layer, decoding sequences that lack what theirs have dropped, and few keys.
  @Test(arguments: 0..<120) func agreesOnProfiles(seed: UInt64) throws {
    var random = SplitMix64(seed: seed, purpose: "naive profiles")
    var system = try ToySystem(using: &random)
    let layers = 3 + Int(random.next() % 6)
    system.model.layers = layers
    // A lone recurrence had no attention, whose products it now has.
    system.calibration.add(
      NaiveShard(system.model, gpus: system.gpus, expertRanks: system.expertRanks).products)
    var keys: KeySelection?
    if seed.isMultiple(of: 3), !system.model.isLatent {
      let block = [1, 7, 64, 500][Int(random.next() % 4)]
      keys = KeySelection(keys: 1 + Int(random.next() % 900), block: block, indexWidth: 32)
      system.calibration.add([.init(name: "selection", n: 64, k: system.model.hidden)])
    }
    let profile = TokenProfile(
      drops: [.init(layer: 0, kept: .share(KeptShare(0.5)))],
      place: seed.isMultiple(of: 4) ? .behindLayer : .behindAttention,
      scoring: seed.isMultiple(of: 5) ? .probabilities : .lastQueries(50),
      synchronisation: 1e-5, keys: keys)
    var naive = try system.naive()
    naive.profile = profile
    var model = try system.costModel(profile: profile)
    model.logsKernels = seed.isMultiple(of: 2)
    var totals: [String: KernelUse] = [:]
    for number in 0..<12 {
      var step = Step(layers: layers, using: &random)
      for i in step.tiles.indices { step.tiles[i].layers = 0..<layers }
      let drops = (0..<layers).filter { !system.model.isRecurrent($0) && random.next().isMultiple(of: 3) }
      if number > 2 {
        step.thin(
          layers: layers, drops: drops, behindLayer: profile.place == .behindLayer, using: &random)
      }
      let what: Comment = "iteration \(number), of \(system.model) on \(system.gpus) GPUs"
      let expected = naive.price(step)
      check(model.cost(of: step), expected.cost, what)
      if model.logsKernels { check(model.takeIterationKernels(), expected.uses, what) }
      totals.merge(expected.uses) { $0 + $1 }
    }
    check(model.kernels, totals, "all iterations of \(system.model) on \(system.gpus) GPUs")
  }

  /// Where layers have routing of their own, a step of sequences that lack nothing takes what it takes without a profile.
  @Test func aProfileThatDropsNothingChangesNoLayersRouting() throws {
    var model = ToyModel()
    (model.layers, model.experts, model.topK) = (2, 4, 2)
    var system = try ToySystem(model)
    let counts = "layer,expert,count\n0,0,5\n0,1,5\n0,2,5\n0,3,5\n1,0,97\n1,1,1\n1,2,1\n1,3,1\n"
    try ScratchFolder.with("counts.csv", counts) { file in
      system.routing = .measured(file: file.path)
      let profile = TokenProfile(drops: [.init(layer: 1, kept: .share(KeptShare(0.5)))], synchronisation: 0)
      var meter = try system.costModel(profile: profile)
      var step = Step(contexts: [100, 200, 300])
      let plain = meter.cost(of: step)
      step.bands = [Step.Band(layers: 0..<1, segments: []), Step.Band(layers: 1..<2, segments: [])]
      let banded = meter.cost(of: step)
      #expect(isClose(banded.experts, plain.experts) && isClose(banded.kernelSeconds, plain.kernelSeconds))
      // Of the first layer's experts each is chosen by half of the tokens, of the second's one by all and three by 2 %.
      let expected = 4 * (1 - 0.5 * 0.5 * 0.5) + 1 + 3 * (1 - 0.98 * 0.98 * 0.98)
      #expect((plain.experts - expected).magnitude < 1e-3)
    }
  }

  @Test(arguments: 0..<30) func agreesOnDecodeStepsPricedInOneGo(seed: UInt64) throws {
    var random = SplitMix64(seed: seed, purpose: "naive stretches")
    let system = try ToySystem(using: &random)
    let naive = try system.naive()
    var model = try system.costModel()
    var totals: [String: KernelUse] = [:]
    for number in 0..<4 {
      let sequences = 1 + Int(random.next() % 100)
      let contexts = (0..<sequences).map { _ in 1 + Int(random.next() % 300) }
      let costs = model.costs(ofDecodeSteps: 5, contexts: contexts)
      #expect(costs.count == 5)
      for (step, cost) in costs.enumerated() {
        let expected = naive.price(Step(contexts: contexts.map { $0 + step }))
        check(cost, expected.cost, "step \(step) of stretch \(number) of \(system.model)")
        totals.merge(expected.uses) { $0 + $1 }
      }
    }
    check(model.kernels, totals, "all steps of \(system.model) on \(system.gpus) GPUs")
  }
}

extension KernelUse {
  /// Two uses of the same kernel together.
  static func + (a: KernelUse, b: KernelUse) -> KernelUse {
    var sum = a
    sum += b
    return sum
  }
}
