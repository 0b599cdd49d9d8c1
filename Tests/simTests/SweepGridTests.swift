import Testing

@testable import Experiments
@testable import sim

@Suite struct SweepGridTests {
  @Test func pointsAreTheProduct() throws {
    let grid = try SweepGrid([
      "--policy", "chunked,layered", "--shuffle", "--seed", "0:2", "--trace", "arxiv",
    ])
    #expect(grid.varying == ["policy", "seed"])
    #expect(grid.points.count == 6)
    #expect(grid.points[1].values == ["chunked", "1"])
    #expect(
      grid.points[4].arguments == ["--policy", "layered", "--shuffle", "--seed", "1", "--trace", "arxiv"])
  }

  @Test func commasInBracketsBelongToThePolicy() throws {
    let grid = try SweepGrid(["--policy", "layered[stages=8,cohort=4096],chunked[budget=256]"])
    #expect(grid.points.map(\.values) == [["layered[stages=8,cohort=4096]"], ["chunked[budget=256]"]])
  }

  @Test func commasInJSONBelongToIt() throws {
    let drafts = #"{"method": "ngram", "synthetic_acceptance_rates": [0.5, 0.2], "x": "a,b]"}"#
    let grid = try SweepGrid(["--speculative-config", drafts, "--seed", "0,1"])
    #expect(grid.points.map(\.values) == [["0"], ["1"]])
    #expect(grid.points[0].arguments == ["--speculative-config", drafts, "--seed", "0"])
    let two = try SweepGrid(["--speculative-config", drafts + "," + drafts])
    #expect(two.points.map(\.values) == [[drafts], [drafts]])
  }

  @Test func listsAndRangesMix() throws {
    let grid = try SweepGrid(["--request-rate=0.5,1:2:0.5,inf"])
    #expect(grid.points.map(\.values) == [["0.5"], ["1.0"], ["1.5"], ["2.0"], ["inf"]])
  }

  @Test func aSettingKeepsItsPath() throws {
    let grid = try SweepGrid([
      "--engine-set", "host.per_iteration_ms=0.5,1", "--engine-set", "host.per_sequence_us=1:2",
    ])
    #expect(grid.points.count == 4)
    #expect(
      grid.points[1].arguments == [
        "--engine-set", "host.per_iteration_ms=0.5", "--engine-set", "host.per_sequence_us=2",
      ])
  }

  @Test func wordsOfAnOptionMultiply() throws {
    let grid = try SweepGrid(["--slo", "ttft:5000,ttft:10000", "tbt:125"])
    #expect(grid.points.map(\.values) == [["ttft:5000 tbt:125"], ["ttft:10000 tbt:125"]])
  }

  @Test(arguments: [
    ["--policy", "chunked,"], ["--seed", ""], ["--seed", "1", "--seed", "2"],
    ["--tp", "1", "--tensor-parallel-size=2"],
    ["stray"], ["--seed", "0:99999", "--request-rate", "1:100"], ["--seed", "4:0"],
  ])
  func badProductsAreRefused(_ arguments: [String]) {
    #expect(throws: CommandLineError.self) { try SweepGrid(arguments) }
  }

  /// Order and spelling of options make no difference to what a run is.
  @Test func theHashIsOfTheConfiguration() throws {
    func hash(_ arguments: [String]) throws -> String {
      try TestProject.experiment(arguments).configurationHash
    }
    let plain = try hash(["--policy", "chunked", "--request-rate", "1.5", "--num-prompts", "100"])
    #expect(
      try hash(["--num-prompts", "100", "--request-rate=1.50", "--policy", "chunked[budget=16384]"]) == plain)
    #expect(try hash(["--request-rate", "1.5", "--num-prompts", "100", "--max-duration", "10"]) != plain)
    #expect(try hash(["--request-rate", "1.5", "--num-prompts", "100", "--seed", "1"]) != plain)
  }
}
