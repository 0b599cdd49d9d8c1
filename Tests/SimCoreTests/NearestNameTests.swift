import SimCore
import Testing

@Suite struct NearestNameTests {
  static let policies = ["chunked", "layered", "whole"]

  @Test(arguments: [
    ("chunkd", "chunked"), ("Layred", "layered"), ("hwole", "whole"), ("la", "layered"), ("whole", "whole"),
  ])
  func mistypedNameLeadsToTheKnownOne(typed: String, meant: String) {
    #expect(nearestName(to: typed, among: Self.policies) == meant)
  }

  @Test(arguments: ["", "x", "sarathi", "l"])
  func nameFarFromAllLeadsNowhere(typed: String) {
    #expect(nearestName(to: typed, among: Self.policies) == nil)
  }

  @Test func firstOfEquallyNearNamesWins() {
    #expect(nearestName(to: "cat", among: ["bat", "rat"]) == "bat")
    #expect(nearestName(to: "cat", among: [String]()) == nil)
  }
}
