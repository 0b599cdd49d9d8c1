import CostModels
import Serving
import Systems
import TestSupport
import Testing

@Suite struct CoverageRoutingTests {
  @Test("goes through the points, linear between them, level after the last")
  func points() throws {
    let model = try shipped("qwen3-30b-a3b")
    let routing = try ExpertRouting(RoutingModel(parsing: "coverage[32=70.5,544=110]"), for: model)
    for (tokens, experts) in [(0, 0), (16, 35.25), (32, 70.5), (288, 90.25), (544, 110), (9_000, 110)] {
      #expect(abs(routing.distinct(layers: 0..<2, decodes: tokens) - 2 * experts) < 1e-9)
    }
    let prefill: [Int32] = [512]
    #expect(routing.distinct(layers: 3..<4, decodes: 32, prefill: prefill.span) == 110)
    var misses = routing.makeMisses()
    routing.gather(prefill.span, into: &misses)
    #expect(routing.distinct(layers: 3..<4, decodes: 32, misses: misses) == 110)
    #expect(try RoutingModel(parsing: routing.model.description) == routing.model)
  }

  @Test(
    "is refused unless it ascends",
    arguments: [
      "coverage", "coverage[]", "coverage[3]", "coverage[0=1]", "coverage[8=5,4=6]", "coverage[8=-1]",
      "coverage[4=12,8=11]", "coverage[32=7]",
    ])
  func refused(text: String) throws {
    #expect(throws: DescriptionError.self) {
      try ExpertRouting(RoutingModel(parsing: text), for: shipped("qwen3-30b-a3b"))
    }
  }

  @Test("has at most the model's experts")
  func bound() throws {
    let law = try RoutingModel(parsing: "coverage[32=129]")
    #expect(throws: DescriptionError.self) { try ExpertRouting(law, for: shipped("qwen3-30b-a3b")) }
  }
}
