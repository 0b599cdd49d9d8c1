import CostModels
import Serving
import Systems

/// What makes drafts, by its description: passes of some layers over rows, and products before them.
final class NaiveDrafter {
  struct Product {
    var product: NaiveShard.Product
    var isOnce: Bool
  }

  /// The layers; their host does nothing but launch them.
  let layers: NaiveCostModel
  let drafts: Int
  let products: [Product]

  /// The layers of a drafter of a system.
  init(
    _ model: ToyModel, of system: NaiveCostModel, drafts: Int, products: [Product], routing: ExpertRouting?
  ) {
    var engine = system.engine
    engine.host = HostOverhead()
    engine.host.eagerLayerMicroseconds = system.engine.host.eagerLayerMicroseconds
    engine.host.eagerLaunchMicroseconds = system.engine.host.eagerLaunchMicroseconds
    engine.host.graphLayerMicroseconds = system.engine.host.graphLayerMicroseconds
    engine.repeatsEmbeddingAndHead = false
    var layers = NaiveCostModel(
      model: model, gpus: system.gpus, expertRanks: model.experts > 0 ? system.expertRanks : 1,
      engine: engine, hardware: system.hardware,
      calibration: system.calibration, routing: routing, samplesOneRow: true)
    layers.cutsTogether = true
    self.layers = layers
    self.drafts = drafts
    self.products = products
  }

  /// Adds the passes after a step.
  func add(to answer: inout NaiveCostModel.Answer, after step: Step, layers depth: Int) {
    // The first pass: all rows that have left the last layer.
    let tiles = step.tiles.filter { $0.layers.upperBound == depth }
    var first = Step(contexts: step.contexts)
    first.width = step.width
    first.tiles = tiles.map {
      Step.Tile(
        tokens: $0.tokens, prefix: $0.prefix, layers: 0..<layers.model.layers, finishes: $0.finishes)
    }
    guard !first.contexts.isEmpty || !first.tiles.isEmpty else { return }
    add(pass: first, isFirst: true, to: &answer)

    // The others: a row of each sequence that decodes or has just finished its prompt.
    let finishing = tiles.count { $0.finishes }
    var further = Step(contexts: step.contexts.map { $0 + step.width - 1 })
    if finishing > 0 {
      let mean = tiles.reduce(0) { $0 + $1.prefix + $1.tokens } * finishing / tiles.count
      further.contexts += [mean] + Array(repeating: 0, count: finishing - 1)
    }
    guard !further.contexts.isEmpty else { return }
    for _ in 1..<max(1, drafts) { add(pass: further, isFirst: false, to: &answer) }
  }

  private func add(pass: Step, isFirst: Bool, to answer: inout NaiveCostModel.Answer) {
    let worked = layers.working(pass)
    let decodes = Double(pass.contexts.count * pass.width)
    let rows = decodes + Double(pass.tiles.reduce(0) { $0 + $1.tokens })
    var part = NaiveCostModel.Answer()
    let computed = layers.padded(Int(rows), prefill: !pass.tiles.isEmpty).rows
    for product in products where isFirst || !product.isOnce {
      let joules = layers.add(layers.product(product.product, rows: computed), to: &part)
      part.cost.decodeRowJoules += joules * decodes / rows
      part.cost.prefillRowJoules += joules * (rows - decodes) / rows
    }
    for one in [worked, part] {
      for figure in [
        \StepCost.kernelSeconds, \.clockedSeconds, \.clockedJoules, \.launchSeconds, \.experts, \.expertBytes,
        \.decodeExpertBytes, \.weightBytes, \.kvBytes, \.activationBytes, \.decodeRowJoules,
        \.decodeContextJoules, \.prefillRowJoules, \.prefillContextJoules,
      ] { answer.cost[keyPath: figure] += one.cost[keyPath: figure] }
      for (name, use) in one.uses {
        var use = use
        use.kernel = "draft_" + name
        answer.uses["draft_" + name, default: KernelUse(kernel: "draft_" + name)] += use
      }
    }
  }
}
