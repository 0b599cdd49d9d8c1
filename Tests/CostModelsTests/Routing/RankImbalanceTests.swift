import Foundation
import Statistics
import Systems
import TestSupport
import Testing

@testable import CostModels

/// What the busiest of several ranks has to do, by the law of routing.
@Suite struct RankImbalanceTests {
  /// TensorRT-LLM's guide prints, of DeepSeek-R1 on 32 ranks, a standard deviation of 491.65 of 1,024 tokens, and 1.564 of the mean
  /// beyond it on the busiest: the law has one number for both.
  @Test func agreesWithThePublishedLoadsOfDeepSeekR1() throws {
    let model = try shipped("deepseek-r1")
    #expect(RoutingModel.published(for: model) == .deepSeekV3)
    let routing = try ExpertRouting(.published(for: model), for: model)
    #expect(routing.provenance.quality == .fitted)
    let beyond = try #require(routing.imbalance(over: 32))
    #expect(abs(beyond / 1.564 - 1) < 0.08, "\(beyond)")
    var generator = SplitMix64(seed: 5)
    var loads = try #require(routing.loadsByLayer?.first)
    var deviations: [Double] = []
    for _ in 0..<400 {
      loads.shuffle(using: &generator)
      let ranks = (0..<32).map { loads[$0 * 8..<$0 * 8 + 8].reduce(0, +) }
      let mean = ranks.reduce(0, +) / 32
      deviations.append((ranks.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 31).squareRoot() / mean)
    }
    let deviation = deviations.reduce(0, +) / 400
    #expect(abs(deviation * 1024 / 491.65 - 1) < 0.08, "\(deviation)")
  }

  @Test func knowsTheModelsThatSomethingIsPublishedOf() throws {
    for name in ["deepseek-v3", "deepseek-v3.2"] {
      #expect(RoutingModel.published(for: try shipped(name)) == .deepSeekV3)
    }
    for name in ["qwen3-30b-a3b", "kimi-k2", "glm-5", "gpt-oss-120b"] {
      #expect(RoutingModel.published(for: try shipped(name)) == .standard)
    }
    let strange = try ExpertRouting(.deepSeekV3, for: shipped("qwen3-30b-a3b"))
    #expect(strange.provenance.quality == .user)
  }

  /// The more ranks, the further the busiest lies beyond the mean.
  ///
  /// A balancer takes most of it even without copies, and nearly all with them; and where all loads are equal there is nothing to
  /// take.
  @Test func growsWithTheRanksAndFallsWithABalancer() throws {
    let model = try shipped("deepseek-r1")
    let routing = try ExpertRouting(for: model)
    let loads = try #require(routing.loadsByLayer?.first)
    #expect(abs(loads.reduce(0, +) - 8) < 1e-6)
    let beyond = try [2, 4, 8, 16, 32].map { try #require(routing.imbalance(over: $0)) }
    #expect(beyond == beyond.sorted() && beyond[0] > 0.05)
    let balanced = try [0, 32, 128].map { try #require(routing.imbalance(over: 32, redundant: $0)) }
    #expect(balanced[0] < beyond[4] / 2 && balanced[1] < 0.01 && balanced[2] < 0.01, "\(balanced)")
    let even = try ExpertRouting(.uniform, for: model)
    #expect(even.imbalance(over: 32) == 0 && even.imbalance(over: 32, redundant: 32) == 0)
    let listed = try ExpertRouting(.coverage([CoveragePoint(tokens: 32, experts: 100)]), for: model)
    #expect(listed.imbalance(over: 32) == nil && routing.imbalance(over: 1) == nil)
  }

  /// What a correlated law does not name is what is published of the model; without any spread nothing is skewed.
  @Test func sigmasThatAreNotNamedAreTheModels() throws {
    let model = try shipped("deepseek-r1")
    #expect(try RoutingModel(parsing: "correlated", usual: .published(for: model)) == .deepSeekV3)
    let named = try RoutingModel(parsing: "correlated[request_sigma=1]", usual: .published(for: model))
    #expect(named == .correlated(groupSigma: 1.425, requestSigma: 1))
    let even = try ExpertRouting(.correlated(groupSigma: 0, requestSigma: 0), for: model)
    #expect(even.skew == 0 && even.imbalance(over: 8) == 0)
    #expect(try ExpertRouting(.correlated(groupSigma: 0, requestSigma: 1), for: model).skew == 1)
    // A little popularity is a little skew.
    let little = try ExpertRouting(.correlated(groupSigma: 0.1, requestSigma: 0), for: model).skew
    #expect(abs(little - 0.1) < 1e-3)
    // As many experts alone do not make Qwen3-30B-A3B.
    let others = try ["glm-4.5-air", "qwen3-30b-a3b"].map {
      try ExpertRouting(for: shipped($0)).provenance.quality
    }
    #expect(others == [.estimate, .fitted])
  }

  /// A draft layer has counts of no file; a model with other experts has no coverage that another was asked for.
  @Test func draftsHaveLawsOfTheirOwn() throws {
    let (model, other) = (try shipped("deepseek-r1"), try shipped("qwen3-30b-a3b"))
    let coverage = RoutingModel.coverage([CoveragePoint(tokens: 32, experts: 100)])
    #expect(RoutingModel.ofDrafts(model, for: model, law: .measured(file: "counts.csv")) == .deepSeekV3)
    #expect(RoutingModel.ofDrafts(model, for: model, law: nil) == .deepSeekV3)
    #expect(RoutingModel.ofDrafts(model, for: model, law: coverage) == coverage)
    #expect(RoutingModel.ofDrafts(other, for: model, law: coverage) == .standard)
    #expect(RoutingModel.ofDrafts(other, for: model, law: .uniform) == .uniform)
  }

  /// A balancer that has nothing to move leaves the busiest rank as it was, and where groups are, their spread goes with them.
  @Test func aBalancerWithoutCopiesIsNoWorseThanNone() {
    func busiest(_ redundant: Int?, imbalance: Double?, groups: ExpertGroups? = nil) -> Double {
      let placement = redundant.map { ExpertPlacement(experts: 256, ranks: 8, redundant: $0) }
      return Experts.busiestRank(
        .init(
          hidden: 1, intermediate: 1, experts: 256, topK: 8, ranks: 8, placement: placement, groups: groups),
        .init(rows: 64, active: 200, skew: 1, imbalance: imbalance)
      ).choices
    }
    for imbalance in [0, 0.1, 0.5] {
      #expect(busiest(0, imbalance: imbalance) == busiest(nil, imbalance: imbalance))
    }
    let groups = ExpertGroups(count: 8, chosen: 4)
    #expect(busiest(0, imbalance: 0, groups: groups) == busiest(0, imbalance: 0))
    #expect(busiest(nil, imbalance: 0, groups: groups) > busiest(nil, imbalance: 0))
  }

  /// Two layers of four experts on two ranks: 5 of 8 and 6 of 8 where each has the next two; with a balancer, which puts the
  /// most and the least chosen together, 5 of 8 and 4 of 8.
  @Test func measuredCountsHavePlaces() throws {
    let counts = [[4.0, 1, 1, 2], [3, 3, 1, 1]]
    let loads = counts.map { ExpertPlacement.busiest(of: $0, ranks: 2) - 1 }
    #expect(loads == [0.25, 0.5])
    let text =
      "layer,expert,count\n"
      + counts.enumerated().flatMap { layer, row in
        row.enumerated().map { "\(layer),\($0),\(Int($1))\n" }
      }.joined()
    var model = ToyModel()
    (model.experts, model.topK, model.layers) = (4, 2, 2)
    let description = try model.read()
    try ScratchFolder.with("counts.csv", text) { file in
      let routing = try ExpertRouting(.measured(file: file.path), for: description)
      #expect(routing.imbalance(over: 2) == 0.375)
      // Variances of 1.5 and 1 beside means of 2.
      #expect(abs(routing.skew - (1.5.squareRoot() / 2 + 0.5) / 2) < 1e-12)
      #expect(routing.imbalance(over: 2, redundant: 0) == 0.125)
    }
  }

  /// Every way to choose two of four groups and two of the experts in them, counted.
  @Test(arguments: [2, 4, 8])
  func groupsSpreadChoices(ranks: Int) {
    let groups = ExpertGroups(count: 4, chosen: 2)
    let shape = Experts.Shape(hidden: 1, intermediate: 1, experts: 8, topK: 2, ranks: ranks, groups: groups)
    var onFirst: [Double] = []
    for a in 0..<4 {
      for b in 0..<a {
        let pool = [2 * a, 2 * a + 1, 2 * b, 2 * b + 1]
        for i in 0..<4 {
          for j in 0..<i { onFirst.append([pool[i], pool[j]].reduce(0) { $0 + ($1 < 8 / ranks ? 1 : 0) }) }
        }
      }
    }
    let mean = onFirst.reduce(0, +) / Double(onFirst.count)
    let variance = onFirst.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(onFirst.count)
    #expect(abs(mean - 2 / Double(ranks)) < 1e-12)
    #expect(abs(Experts.variancePerRow(shape) - variance) < 1e-12, "\(variance)")
  }

  /// Of DeepSeek-V3 on eight ranks: a group each.
  @Test func aRankOfDeepSeekHasSeveralChoicesOfARowOrNone() {
    func variance(_ groups: ExpertGroups?, ranks: Int) -> Double {
      Experts.variancePerRow(
        .init(hidden: 7168, intermediate: 2048, experts: 256, topK: 8, ranks: ranks, groups: groups))
    }
    let groups = ExpertGroups(count: 8, chosen: 4)
    #expect(abs(variance(nil, ranks: 8) - 7.0 / 8 * 248 / 255) < 1e-12)
    // Half of the time two choices are expected of 128, else there is none.
    #expect(abs(variance(groups, ranks: 8) - ((1.5 * 120 / 127 + 4) / 2 - 1)) < 1e-12)
    for ranks in [2, 4, 8, 16, 32] {
      #expect(variance(groups, ranks: ranks) > 1.1 * variance(nil, ranks: ranks), "\(ranks)")
    }
  }
}
