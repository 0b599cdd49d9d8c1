import CostModels
import Foundation
import Serving
import Statistics
import Systems
import TestSupport
import Testing

@Suite struct ExpertRoutingTests {
  static let layers = 0..<1

  /// Distinct experts of one call, in percent of all.
  func coverage(_ routing: ExpertRouting, decodes: Int = 0, prefill: [Int32] = []) -> Double {
    100 * routing.distinct(layers: Self.layers, decodes: decodes, prefill: prefill.span)
      / Double(routing.experts)
  }

  @Test(
    "reproduces the model's fit to the published coverage",
    arguments: [(16, 44.1), (32, 58.6), (64, 72.0), (128, 83.0)])
  func decodeCoverage(batch: Int, percent: Double) throws {
    let routing = try ExpertRouting(for: shipped("qwen3-30b-a3b"))
    #expect(abs(coverage(routing, decodes: batch) - percent) < 0.2)
    let looked = 100 * routing.distinct(layers: Self.layers, decodes: batch) / 128
    #expect(abs(looked - percent) < 0.2)
  }

  @Test(
    "reproduces the model's fit to the published coverage of one prompt",
    arguments: [(512, 81.3), (1024, 87.9), (2048, 92.8), (4096, 96.0), (8192, 97.9)])
  func prefillCoverage(tokens: Int, percent: Double) throws {
    let routing = try ExpertRouting(for: shipped("qwen3-30b-a3b"))
    #expect(abs(coverage(routing, prefill: [Int32(tokens)]) - percent) < 0.2)
  }

  @Test(
    "uniform routing is E (1 - (1 - k/E)^T)", arguments: [(16, 64.4), (32, 87.3), (64, 98.4), (128, 99.97)])
  func uniformCoverage(batch: Int, percent: Double) throws {
    let routing = try ExpertRouting(.uniform, for: shipped("qwen3-30b-a3b"))
    #expect(abs(coverage(routing, decodes: batch) - percent) < 0.1)
    #expect(abs(coverage(routing, decodes: batch - 10, prefill: [4, 6]) - percent) < 0.1)
  }

  @Test(
    "a token uses k experts on average", arguments: ["qwen3-30b-a3b", "gpt-oss-20b"], [0.0, 0.5, 1.634, 4.0])
  func expertsPerToken(model: String, sigma: Double) throws {
    let model = try shipped(model)
    let routing = try ExpertRouting(.correlated(groupSigma: sigma, requestSigma: sigma), for: model)
    #expect(abs(routing.distinct(layers: Self.layers, decodes: 1) - Double(model.topK)) < 1e-4)
    #expect(abs(coverage(routing, prefill: [1]) / 100 * Double(model.experts) - Double(model.topK)) < 1e-4)
  }

  @Test("without unevenness the correlated law is the uniform one")
  func degenerate() throws {
    let model = try shipped("qwen3-30b-a3b")
    let even = try ExpertRouting(.correlated(groupSigma: 0, requestSigma: 0), for: model)
    let uniform = try ExpertRouting(.uniform, for: model)
    for tokens in [1, 7, 64, 100, 333, 1500] {
      #expect(abs(coverage(even, decodes: tokens) - coverage(uniform, decodes: tokens)) < 1e-3)
      let prompt = [Int32(tokens)]
      #expect(abs(coverage(even, prefill: prompt) - coverage(uniform, prefill: prompt)) < 0.01)
    }
  }

  @Test("interpolation between token counts is off by less than 1e-4 of the experts")
  func interpolation() throws {
    let model = try shipped("qwen3-30b-a3b")
    let routing = try ExpertRouting(for: model)
    for tokens in [65, 67, 97, 130, 517, 1041, 1500, 3001, 8191, 20_001, 65_537] {
      let exact = exactCoverage(tokens: tokens, experts: 128, topK: 8, groupSigma: 1.634, requestSigma: 1.486)
      #expect(abs(coverage(routing, prefill: [Int32(tokens)]) / 100 - exact) < 1e-4)
    }
  }

  @Test("more tokens never touch fewer experts, and a union is at most the sum")
  func monotone() throws {
    for name in ["qwen3-30b-a3b", "gpt-oss-20b"] {
      let routing = try ExpertRouting(for: shipped(name))
      var last = -1.0
      for batch in 0...1500 {
        let now = routing.distinct(layers: Self.layers, decodes: batch)
        #expect(now >= last - 1e-4 && now <= Double(routing.experts))
        last = now
      }
      last = -1
      for tokens in stride(from: Int32(0), to: 200_000, by: 37) {
        let now = coverage(routing, prefill: [tokens])
        #expect(now >= last - 1e-4)
        last = now
      }
      for (decodes, prompt) in [(1, [Int32(1)]), (40, [512]), (100, [300, 212]), (256, [8192, 1, 77])] {
        let union = coverage(routing, decodes: decodes, prefill: prompt)
        let parts =
          coverage(routing, decodes: decodes) + prompt.map { coverage(routing, prefill: [$0]) }.reduce(0, +)
        #expect(union <= parts + 1e-4)
        #expect(union >= coverage(routing, decodes: decodes) - 1e-4)
      }
    }
  }

  @Test("one request's tokens touch fewer experts than as many requests' tokens")
  func correlation() throws {
    let routing = try ExpertRouting(for: shipped("qwen3-30b-a3b"))
    #expect(coverage(routing, prefill: [128]) < coverage(routing, decodes: 128) - 5)
    let single = [Int32](repeating: 1, count: 50)
    #expect(abs(coverage(routing, prefill: single) - coverage(routing, decodes: 50)) < 1e-3)
  }

  @Test("misses computed once combine with any decode batch", arguments: [RoutingModel.standard, .uniform])
  func misses(law: RoutingModel) throws {
    let routing = try ExpertRouting(law, for: shipped("qwen3-30b-a3b"))
    let prompts: [Int32] = [300, 4096, 11]
    var misses = routing.makeMisses()
    let whole = 0..<48
    #expect(
      routing.distinct(layers: whole, decodes: 20, misses: misses)
        == routing.distinct(layers: whole, decodes: 20))
    routing.gather(prompts.span, into: &misses)
    for decodes in [0, 1, 77, 5000] {
      let cached = routing.count(layers: whole, decodes: decodes, misses: misses)
      let direct = routing.count(layers: whole, decodes: decodes, prefill: prompts.span)
      #expect(abs(cached.mean - direct.mean) < 1e-3)
      #expect(abs(cached.variance - direct.variance) < 1e-3)
      #expect(abs(routing.distinct(layers: whole, decodes: decodes, misses: misses) - cached.mean) < 1e-3)
    }
  }

  @Test("results are sums over the layers of the range")
  func layerRanges() throws {
    let routing = try ExpertRouting(for: shipped("qwen3-30b-a3b"))
    let one = routing.distinct(layers: 0..<1, decodes: 32)
    #expect(abs(routing.distinct(layers: 3..<48, decodes: 32) - 45 * one) < 1e-9)
    #expect(routing.distinct(layers: 5..<5, decodes: 32) == 0)
  }

  @Test("draws are whole numbers within bounds, with the right mean and spread")
  func draws() throws {
    let routing = try ExpertRouting(for: shipped("qwen3-30b-a3b"))
    let count = routing.count(layers: 0..<3, decodes: 32)
    var generator = SplitMix64(seed: 1, purpose: "routing")
    let draws = (0..<20_000).map { _ in routing.draw(count, layers: 3, using: &generator) }
    let mean = draws.reduce(0, +) / 20_000
    let variance = draws.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 20_000
    #expect(abs(mean - count.mean) < 0.2)
    #expect(abs(variance / count.variance - 1) < 0.05)
    #expect(draws.allSatisfy { $0 == $0.rounded() && $0 >= 24 && $0 <= 384 })
    var again = SplitMix64(seed: 1, purpose: "routing")
    #expect(routing.draw(count, layers: 3, using: &again) == draws[0])
  }

  @Test(
    "names read back",
    arguments: ["uniform", "correlated", "correlated[request_sigma=1]", "measured[file=a/b.csv]"])
  func parsing(text: String) throws {
    let model = try RoutingModel(parsing: text)
    let again = try RoutingModel(parsing: model.description)
    #expect(model == again)
  }

  @Test(
    "nonsense is refused with what would be right",
    arguments: [
      "", "zipf", "uniform[x=1]", "correlated[sigma=1]", "correlated[group_sigma=9]", "measured", "uniform]",
      "correlated[group_sigma=1,group_sigma=2]",
    ])
  func parsingErrors(text: String) {
    #expect(throws: DescriptionError.self) { try RoutingModel(parsing: text) }
  }

  @Test("a dense model has nothing to route to")
  func dense() throws {
    let model = try shipped("llama-3.1-8b")
    #expect(throws: DescriptionError.self) { try ExpertRouting(for: model) }
  }

  /// 1 − mean over experts and requests of (1 − p)^T, by a sum with ten times the points and bisection for λ.
  private func exactCoverage(
    tokens: Int, experts: Int, topK: Int, groupSigma: Double, requestSigma: Double
  ) -> Double {
    let requests = stride(from: -7.0, through: 7, by: 0.03).map {
      (exp(requestSigma * $0), exp(-$0 * $0 / 2))
    }
    let total = requests.map(\.1).reduce(0, +)
    let groups = (0..<experts).map { exp(groupSigma * normalQuantile((Double($0) + 0.5) / Double(experts))) }
    func missed(_ rate: Double, _ tokens: Double) -> Double {
      var sum = 0.0
      for group in groups {
        for (request, density) in requests { sum += density * exp(-rate * group * request * tokens) }
      }
      return sum / total
    }
    var (low, high) = (0.0, 10.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if Double(experts) - missed(middle, 1) < Double(topK) { low = middle } else { high = middle }
    }
    return 1 - missed(low, Double(tokens)) / Double(experts)
  }

  /// By bisection on erf.
  private func normalQuantile(_ share: Double) -> Double {
    var (low, high) = (-10.0, 10.0)
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if erfc(-middle / 2.0.squareRoot()) / 2 < share { low = middle } else { high = middle }
    }
    return low
  }
}
