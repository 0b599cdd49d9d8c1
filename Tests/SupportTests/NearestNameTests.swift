import Support
import Testing

@Suite struct NearestNameTests {
  let known = ["chunked", "layered", "hybrid", "orca", "static"]

  @Test(arguments: [
    ("chunkd", "chunked"), ("Layered", "layered"), ("layerd", "layered"), ("hy", "hybrid"), ("orka", "orca"),
    ("sttaic", "static"),
  ])
  func aSlipIsRecognised(typed: String, meant: String) {
    let nearest = nearestName(to: typed, among: known)
    #expect(nearest == meant)
  }

  @Test(arguments: ["", "x", "vllm", "something else altogether"]) func nothingIsGuessedAtRandom(
    typed: String
  ) {
    let nearest = nearestName(to: typed, among: known)
    #expect(nearest == nil)
  }
}
