import CostModels
import Policies
import Serving
import Systems

/// The stages of a model's pipeline, each on GPUs of its own, and the way between them.
package struct LoadedPipeline: Sendable {
  /// The layers of each stage.
  package let layers: [Range<Int>]
  /// What each stage is.
  package let stages: [ServedSystem]
  /// How tokens choose the experts of each stage; `nil` where it has none.
  let routing: [ExpertRouting?]
  /// The way from a stage to the next one.
  package let link: PipelineCostModel.Link
  /// What it is called, and how its figures came about.
  package let linkNote: String

  /// Cuts a system as vLLM does.
  ///
  /// - Parameters:
  ///   - system: the whole.
  ///   - routing: how tokens choose experts; `nil` in a dense model.
  ///   - count: stages, two or more.
  ///   - profile: the network between them; `nil` for what the GPUs of a server have.
  /// - Throws: if the model cannot be cut so.
  init(
    _ system: ServedSystem, routing: ExpertRouting?, stages count: Int, over profile: LinkProfile?
  ) throws {
    let model = system.shard.model
    func refused(_ expected: String) -> ExperimentError {
      .invalidValue(option: "--pipeline-parallel-size", value: "\(count)", expected: expected)
    }
    guard count <= model.layers else {
      throw refused(
        "2 to \(model.layers): \(model.name) has \(model.layers) layers, and a stage at least one")
    }
    guard system.shard.stateBytesPerSequence == 0 else {
      throw refused("1 with \(model.name): layers that keep states are not cut into stages, so far")
    }
    guard system.shard.dataParallel == 1 else {
      throw refused(
        "1 with --data-parallel-size and experts: ranks that step together have no stages, so far")
    }
    guard routing?.isUniformOverLayers != false else {
      throw refused("1 with --routing measured: its counts are of the layers of the whole model")
    }
    let layers = PipelinePartition.layers(model.layers, over: count)
    self.layers = layers
    stages = try layers.map { (range) throws(DescriptionError) in try system.stage(range) }
    self.routing = try stages.map { stage throws(DescriptionError) in
      guard let routing, stage.shard.model.expertLayers > 0 else { return nil }
      return try ExpertRouting(routing.model, for: stage.shard.model)
    }
    link = PipelineCostModel.Link(
      bytesPerSecond: profile?.bytesPerSecond ?? system.hardware.nvlinkBandwidth,
      latency: profile?.latency ?? Self.latency, bytesPerRow: 2 * Double(model.hidden))
    linkNote =
      profile.map { "\($0.name): \($0.quality). \($0.source)" }
      ?? "that of \(system.hardware.name) by its data sheet; its latency of 5 us is assumed"
  }

  private init(_ other: LoadedPipeline, stages: [ServedSystem], routing: [ExpertRouting?]) {
    layers = other.layers
    self.stages = stages
    self.routing = routing
    link = other.link
    linkNote = other.linkNote
  }

  /// That of NVLink in `links.csv`, which is assumed there, too.
  private static let latency = 5e-6

  /// The same cuts of another system.
  func cutting(_ system: ServedSystem, routing: ExpertRouting?) throws(DescriptionError) -> LoadedPipeline {
    var stages: [ServedSystem] = []
    var laws: [ExpertRouting?] = []
    for (range, law) in zip(layers, self.routing) {
      let stage = try system.stage(range)
      stages.append(stage)
      if let routing, law != nil {
        laws.append(try ExpertRouting(routing.model, for: stage.shard.model))
      } else {
        laws.append(nil)
      }
    }
    return LoadedPipeline(self, stages: stages, routing: laws)
  }

  /// What prices its steps.
  func costModel(calibration: Calibration, drawSeed: UInt64?) -> PipelineCostModel {
    PipelineCostModel(
      stages: stages.indices.map { s in
        PipelineCostModel.Stage(
          costModel: KernelCostModel(
            system: stages[s], calibration: calibration, routing: routing[s], drawSeed: drawSeed),
          layers: layers[s], power: stages[s].powerLimit)
      }, link: link)
  }

  /// One second for each stage, and no time between them.
  var unitCostModel: PipelineCostModel {
    PipelineCostModel(
      stages: layers.map { PipelineCostModel.Stage(costModel: UnitCostModel(layers: $0.count), layers: $0) },
      link: .immediate)
  }
}

extension ClusterSpecification.Pool {
  /// Checks that what the pool runs can be cut into stages.
  func checkPipeline(policy: Policy) throws(ExperimentError) {
    guard let stages = system.pipelineParallelSize, stages > 1 else { return }
    let others: [(String, Bool)] = [
      ("--speculative-config", system.speculation != nil),
      ("--prefill-sparsity", system.prefillSparsity != nil),
      ("--token-pruning", system.tokenPruning != nil), ("--kv-policy", system.keyValuePolicy != nil),
      ("--kv-tiers", system.cacheTiers != nil),
      ("--policy \(policy.entry.name)", !policy.entry.runsInPipelines),
    ]
    var other = others.first { $0.1 }?.0
    if case .law = system.costModel { other = "--cost-model law" }
    guard let other else { return }
    throw .invalidValue(
      option: "--pipeline-parallel-size", value: "\(stages)", expected: "1 with \(other), so far")
  }
}
