import Testing

@testable import sim

@Suite struct SweepRangeTests {
  func values(_ text: String) throws -> [String]? {
    try SweepRange(text[...], option: "--x")?.values
  }

  @Test func decimalsAreExact() throws {
    #expect(
      try values("1.0:1.9:0.1")
        == ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"])
    #expect(try values("0.5:4:0.5")?.count == 8)
    #expect(try values("0:0.02:0.01") == ["0.00", "0.01", "0.02"])
    #expect(try values("-0.5:0.5:0.5") == ["-0.5", "0.0", "0.5"])
  }

  @Test func wholeNumbersStepByOne() throws {
    #expect(try values("0:4") == ["0", "1", "2", "3", "4"])
    #expect(try values("7:7") == ["7"])
  }

  /// The end is included if a step falls on it.
  @Test func theLastStepStaysWithinTheRange() throws { #expect(try values("1:2:0.3")?.last == "1.9") }

  @Test(arguments: ["ttft:1000", "chunked", "1.5", "layered[stages=8]"])
  func otherTextIsNoRange(_ text: String) throws { #expect(try values(text) == nil) }

  @Test(arguments: [
    "2:1", "1:2:0", "1:2:-1", "1.0:2.0", "1:x", "1:2:3:4", "1::2", "1e3:2e3", "0:1:0.00000000000000000001",
    "0:999999999", "inf:2",
  ])
  func contradictoryRangesAreRefused(_ text: String) {
    #expect(throws: CommandLineError.self) { try values(text) }
  }
}
