import CostModels
import Serving
import Statistics
import Systems
import TestSupport
import Testing

/// Ranks that have sequences of their own and share the experts.
@Suite struct SharedExpertsTests {
  /// A cost model of ranks, and what the parts of their steps cost.
  private struct Ranks {
    let model: SharedExpertsCostModel
    let count: Int

    init(_ system: ToySystem) throws {
      let served = try system.served()
      model = SharedExpertsCostModel(
        system: served, calibration: try system.calibration.read(),
        routing: try ExpertRouting(system.routing, for: served.shard.model))
      count = system.dataParallel
    }

    func price(_ steps: [Step?]) -> (step: SharedStep, costs: [StepCost], ledgers: [KernelLedger]) {
      var step = SharedStep(ranks: count, changes: model.changes)
      let loads = steps.map { $0?.load(on: model) ?? StepLoad() }
      let working = steps.indices.filter { steps[$0] != nil }
      step.begin(working) { loads[$0] }
      var costs = steps.map { _ in StepCost() }
      var ledgers = steps.map { _ in KernelLedger() }
      for rank in working {
        model.price(loads[rank], of: rank, in: &step, into: &costs[rank], ledger: &ledgers[rank])
      }
      return (step, costs, ledgers)
    }
  }

  private static func system(using random: inout SplitMix64) throws -> ToySystem {
    var system = try ToySystem(using: &random)
    while system.model.experts == 0 { system = try ToySystem(using: &random) }
    try system.share(using: &random)
    return system
  }

  @Test(arguments: 0..<80) func agreesWithTheNaiveOne(seed: UInt64) throws {
    var random = SplitMix64(seed: seed, purpose: "naive ranks")
    let system = try Self.system(using: &random)
    let naive = NaiveRanks(one: try system.naive())
    let ranks = try Ranks(system)
    for number in 0..<6 {
      var steps: [Step?] = (0..<system.dataParallel).map { _ in
        random.next() % 4 == 0 ? nil : Step(layers: system.model.layers, using: &random)
      }
      if steps.allSatisfy({ $0 == nil }) { steps[0] = Step(layers: system.model.layers, using: &random) }
      let (step, costs, ledgers) = ranks.price(steps)
      let expected = naive.price(steps)
      let what: Comment = "step \(number) of \(system.model) on \(system.dataParallel) x \(system.gpus) GPUs"
      #expect(isClose(step.cost.kernelSeconds, expected.seconds), what)
      for rank in steps.indices where steps[rank] != nil {
        let (cost, wanted) = (costs[rank], expected.answers[rank].cost)
        #expect(isClose(cost.kernelSeconds, wanted.kernelSeconds), what)
        #expect(isClose(cost.experts, wanted.experts) || wanted.experts == 0, what)
        #expect(isClose(cost.expertBytes, wanted.expertBytes) || wanted.experts == 0, what)
        #expect(
          abs(cost.weightBytes - wanted.weightBytes) <= 1e-9 * (wanted.weightBytes + wanted.expertBytes), what
        )
        #expect(isClose(cost.activationBytes, wanted.activationBytes), what)
        #expect(isClose(cost.joules, wanted.joules), what)
        #expect(abs(cost.decodeRowJoules - wanted.decodeRowJoules) <= 1e-9 * wanted.joules, what)
        let uses = ranks.model.kernels(in: ledgers[rank]).byName
        for (kernel, use) in expected.answers[rank].uses {
          #expect(isClose(uses[kernel]?.seconds, use.seconds), "\(kernel); \(what)")
          #expect(isClose(uses[kernel]?.joules, use.joules), "\(kernel); \(what)")
        }
      }
    }
  }

  /// Expert weights are read once for the rows of all ranks: as many bytes as one server of as many GPUs reads.
  @Test func expertsAreReadOnceForAllRanks() throws {
    var toy = ToyModel()
    (toy.experts, toy.topK, toy.intermediate) = (8, 2, 128)
    var system = try ToySystem(toy, gpus: 1)
    (system.dataParallel, system.expertRanks) = (4, 4)
    let ranks = try Ranks(system)
    let (_, costs, _) = ranks.price((0..<4).map { Step(contexts: Array(repeating: 100, count: $0 + 1)) })
    let routing = try ExpertRouting(.uniform, for: system.served().shard.model)
    let bytes = routing.distinct(layers: 0..<toy.layers, decodes: 10) * Double(6 * toy.hidden * 128)
    #expect(isClose(costs.reduce(0) { $0 + $1.expertBytes }, bytes))
    #expect(isClose(costs[3].expertBytes, 0.4 * bytes))
  }

  /// A GPU of a rank holds a rank's share of everything but the experts, and its share of those among all GPUs.
  @Test func expertsAreSpreadOverAllRanks() throws {
    let model = try shipped("deepseek-r1")
    let one = try model.shard(over: 1)
    let ranks = try model.shard(over: 1, expertRanks: 8, dataParallel: 8)
    #expect(ranks.expertBytesPerLayer == one.expertBytesPerLayer / 8)
    let dense = one.weightBytes - model.expertLayers * one.expertBytesPerLayer
    #expect(ranks.weightBytes - model.expertLayers * ranks.expertBytesPerLayer == dense)
    #expect(try model.shard(over: 1, dataParallel: 8).expertBytesPerLayer == ranks.expertBytesPerLayer)
    #expect(throws: DescriptionError.self) { try model.shard(over: 1, expertRanks: 3, dataParallel: 8) }
    #expect(throws: DescriptionError.self) { try shipped("qwen3-8b").shard(over: 1, dataParallel: 2) }
  }
}
