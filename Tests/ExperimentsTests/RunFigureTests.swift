import CostModels
import Foundation
import ResultStore
import Serving
import Statistics
import TestSupport
import Testing
import Workloads

@testable import Experiments

/// There is one table of figures: the schema and the documentation agree with it.
struct RunFigureTests {
  private func columns() throws -> [String] {
    let folder = try TemporaryFolder()
    _ = try RunWriter(path: folder.file("empty.sqlite"))
    return try ResultReader(path: folder.file("empty.sqlite")).query("SELECT * FROM runs").columns
  }

  @Test func everyFigureIsAColumn() throws {
    let columns = try columns()
    for figure in RunFigure.all {
      #expect(figure.isColumn, "\(figure)")
      #expect(columns.contains(figure.name), "\(figure)")
    }
    #expect(Set(RunFigure.all.map(\.name)).count == RunFigure.all.count)
  }

  /// What is stored of a run beside its figures: where it comes from, and what it was.
  @Test func everyColumnIsAFigureOrSaysWhatTheRunWas() throws {
    let origin: Set = [
      "run_id", "created_at", "version", "results_revision", "argv", "config", "config_hash",
      "profile_sha256",
      "trace_sha256", "policy", "policy_name", "budget", "stages", "chunk", "max_duration", "model",
      "hardware",
      "engine", "trace", "seed", "request_rate", "num_prompts", "tensor_parallel_size", "log_level", "extra",
    ]
    let figures = Set(RunFigure.all.map(\.name))
    #expect(try Set(columns()) == origin.union(figures))
    #expect(origin.isDisjoint(with: figures))
  }

  /// The documentation has a row of the table of `runs` for each column.
  @Test func theDocumentationNamesEveryFigure() throws {
    let text = try Project.text("Results/README.md")
    let table = try #require(text.components(separatedBy: "### `runs`").dropFirst().first)
      .components(separatedBy: "### ")[0]
    let rows = table.split(separator: "\n").filter { $0.hasPrefix("| `") }
    for name in try columns() {
      #expect(rows.count { $0.split(separator: "|")[0].contains("`\(name)`") } == 1, "\(name)")
    }
  }

  @Test func everyFigureIsExplained() {
    for figure in RunFigure.all {
      #expect(!figure.summary.isEmpty)
      let suffixes = ["_ms": "ms", "_j": "J", "_mj": "mJ", "_s": "s", "_bytes": "bytes"]
      for (suffix, unit) in suffixes where figure.name.hasSuffix(suffix) && !figure.name.hasSuffix("per_s") {
        #expect(figure.unit == unit, "\(figure)")
      }
      #expect(RunFigure.named(figure.name) == figure)
    }
  }

  /// Nothing of an ordinary run is left for `extra`; percentiles of its own are.
  @Test func whatHasNoColumnIsKeptAside() throws {
    let folder = try TemporaryFolder()
    var value = Experiment(requestRate: 2)
    value.workload.numPrompts = 3
    let experiment = try Project.library.load(value)
    let writer = try RunWriter(path: folder.file("a.sqlite"), logLevel: .requests)
    for percentiles in [[99], [90, 99.9]] {
      let result = try experiment.run(percentiles: percentiles)
      _ = try writer.finish(experiment.row(result, argv: []), kernels: result.totals.kernels)
    }
    let rows = try ResultReader(path: folder.file("a.sqlite")).query(
      "SELECT extra, extra ->> '$.p90_ttft_ms' > 0, extra ->> '$.\"p99.9_itl_ms\"' > 0 FROM runs"
    ).rows
    #expect(rows[0] == [.null, .null, .null])
    #expect(rows[1].dropFirst() == [1, 1])
  }

  @Test func aSummaryHasFiguresByName() throws {
    let result = try Project.library.load(Experiment(requestRate: 4, policy: "orca")).run(percentiles: [90])
    for (name, value) in result.summary.values where RunFigure.named(name) != nil {
      let figure = try #require(RunFigure.named(name))
      #expect(result.summary[figure].isNaN ? value.number == nil : value.number == result.summary[figure])
    }
    // A percentile that was not asked for is worked out.
    #expect(result.summary[.p99TimeToFirstToken] == result.metrics.timeToFirstToken.percentile(99) * 1000)
    #expect(result.summary[.energyQuality].isNaN, "a word is no number")
  }

  /// Shares of the kernels' time are rounded so that what is printed adds up to 100 %.
  @Test func sharesOfEvidenceAddUp() throws {
    let totals = SystemTotals([], population: Population())
    let third = 1.0 / 3
    let thirds = EvidenceShares(shares: [(.measured, third), (.between, third), (.estimate, third)])
    #expect(
      thirds.line(totals)
        == "Kernel time by evidence: 33.4 % measured, 33.3 % between measured shapes, 33.3 % estimated.")
    let halves = EvidenceShares(shares: [(.measured, 0.5003), (.estimate, 0.4997)])
    #expect(halves.line(totals) == "Kernel time by evidence: 50.0 % measured, 50.0 % estimated.")
    let little = EvidenceShares(shares: [(.measured, 0.99965), (.roofline, 0.00035)])
    #expect(
      little.line(totals) == "Kernel time by evidence: 100.0 % measured, under 0.1 % by the data sheet.")
  }
}
