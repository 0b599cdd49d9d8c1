import ArgumentParser
import Foundation
import ResultStore
import TestSupport
import Testing

@testable import Experiments
@testable import sim

/// Runs are stored and printed as data, and the command runs them again.
struct StoredRunTests {
  private let folder: TemporaryFolder
  private let options = ["--policy", "hybrid", "--request-rate", "3", "--num-prompts", "25"]

  init() throws { folder = try TemporaryFolder() }

  /// Runs the program, which must succeed, and returns what it prints.
  private func sim(_ arguments: [String]) throws -> String {
    let outcome = try Binary.run(arguments + TestProject.folders)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.output
  }

  /// The figures of a run's JSON output but for the real time that it took.
  private func figures(_ json: String) throws -> NSDictionary {
    let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] ?? [:]
    return object.filter { !["wall_s", "date"].contains($0.key) } as NSDictionary
  }

  @Test func aPrintedExperimentRunsAsItsOptionsDo() throws {
    let file = try folder.file("run.json", sim(options + ["--dry-run"]))
    let first = try figures(sim(options + ["--no-db", "--json"]))
    #expect(first.count > 50)
    #expect(try figures(sim(["--from", file, "--no-db", "--json"])) == first)
    #expect(try sim(["--from", file, "--dry-run"]) == sim(options + ["--dry-run"]))
  }

  @Test func aStoredRunRunsAgain() throws {
    let database = folder.file("runs.sqlite")
    let first = try figures(sim(options + ["--db", database, "--json"]))
    #expect(try figures(sim(["--again", "1", "--db", database, "--json", "--no-fast-forward"])) == first)
    let rows = try ResultReader(path: database).query("SELECT DISTINCT config, config_hash FROM runs").rows
    #expect(rows.count == 1)
  }

  /// Several tokens in a step: the log has each step of a request once, and every token is counted.
  @Test(arguments: ["iterations", "kernels"]) func aSpeculativeRunIsLogged(level: String) throws {
    let database = folder.file("drafts.sqlite")
    let drafts =
      #"{"method": "ngram", "num_speculative_tokens": 3, "synthetic_acceptance_length": 2.1}"#
    let run = try figures(
      sim(options + ["--speculative-config", drafts, "--log", level, "--db", database, "--json"]))
    let question =
      "SELECT count(*), sum(last_iter - first_iter + 1), (SELECT sum(num_decode_tokens) FROM requests) "
      + "FROM spans WHERE phase = 'decode'"
    let row = try #require(try ResultReader(path: database).query(question).rows.first)
    let counts = row.map { value -> Int64 in if case .integer(let count) = value { count } else { -1 } }
    #expect(counts[0] > 0 && run["completed"] as? Int == 25)
    #expect(counts[1] < counts[2], "a step writes 2.1 tokens in the mean")
  }

  @Test(arguments: [
    (["--from", "no/such.json"], 66, "no/such.json: cannot be read"),
    (["--from", "a", "--again", "1"], 64, "exclude each other"),
    (["--again", "1", "--db", "no/such.sqlite"], 66, "no results database"),
  ]) func whatCannotBeRunAgainIsSaid(arguments: [String], status: Int32, text: String) throws {
    let outcome = try Binary.run(arguments + ["--no-db"] + TestProject.folders)
    #expect(outcome.status == status)
    #expect(outcome.errors.contains(text), "\(outcome.errors)")
  }

  @Test func furtherOptionsOfAnExperimentAreRefused() throws {
    let file = try folder.file("run.json", "{}")
    let outcome = try Binary.run(["--from", file, "--seed", "3", "--no-db"] + TestProject.folders)
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("leave out options that describe one"))
  }

  /// Scripts hand the points of a sweep on by the arguments that are listed.
  @Test func theListOfASweepHasTheArgumentsOfEachPoint() throws {
    let database = folder.file("sweep.sqlite")
    let listed = try sim(
      [
        "sweep", "--gpu", "h200-sxm", "--num-prompts", "5", "--seed", "0:1", "--engine-set",
        "kv.block_size=16,32",
      ]
        + ["--db", database, "--dry-run", "--json"])
    let points = try JSONSerialization.jsonObject(with: Data(listed.utf8)) as? [[String: Any]] ?? []
    #expect(points.count == 4)
    for point in points {
      #expect(point["run_id"] is NSNull && point["requests"] as? Int == 5)
      let arguments = try #require(point["arguments"] as? [String])
      #expect(arguments.starts(with: ["--hardware", "h200-sxm", "--num-prompts", "5", "--seed"]))
      #expect(
        try SweepPointOptions.parse(arguments).asRunOptions.specification().system.hardware == "h200-sxm")
    }
  }
}
