import CostModels
import GRDB
import Policies
import ResultStore
import Serving
import Systems
import TestSupport
import Testing
import Workloads

@testable import Experiments

/// A database that the program wrote when configurations were flat and not meant to be read.
///
/// `Databases/version3.sql` is its dump: three runs of few requests each.
struct OldDatabaseTests {
  private let folder: TemporaryFolder
  private var path: String { folder.file("old.sqlite") }

  init() throws {
    folder = try TemporaryFolder()
    let dump = try Project.text("Tests/ExperimentsTests/Databases/version3.sql")
    try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: dump) }
  }

  /// What a row of `runs` says that the run was, and what its configuration comes to.
  @Test(arguments: [true, false], [1, 2, 3] as [Int64])
  func itsRunsCanBeLoadedAgain(isMigrated: Bool, run: Int64) throws {
    if isMigrated { _ = try RunWriter(path: path) }
    let reader = try ResultReader(path: path)
    #expect(
      try reader.query("PRAGMA user_version").rows == [[.integer(Int64(isMigrated ? Schema.version : 3))]])
    let stored = try reader.run(run)
    let experiment = try Project.library.load(reader.experiment(ofRun: run))
    for (name, value) in experiment.parameters where !["version", "profile_sha256"].contains(name) {
      #expect(value == stored[name] ?? .null, "\(name)")
    }
    #expect(stored["kv_blocks"] == RunValue(experiment.kvBlocks))
    #expect(stored["policy_name"] == RunValue(experiment.policy.entry.name))
    #expect(stored["unfinished"] == 0)
  }

  @Test func whatWasChangedIsChangedAgain() throws {
    let reader = try ResultReader(path: path)
    let first = try Project.library.load(reader.experiment(ofRun: 1))
    #expect(first.loaded.system.engine.host.perIterationMilliseconds == 0.7)
    #expect(first.loaded.system.hardware.energy.idleWatts == 90)
    #expect(first.specification.limits.maxDuration == 30)
    let second = try Project.library.load(reader.experiment(ofRun: 2)).specification
    #expect(second.workload.arrivals == .gamma)
    #expect(second.workload.burstiness == 0.5)
    #expect(second.workload.shuffle)
    #expect(second.seed == 7)
    #expect(second.system.drawsRouting)
    #expect(second.limits.maxConcurrency == 9)
    let third = try Project.library.load(reader.experiment(ofRun: 3)).specification
    #expect(third.workload.arrivals == .allAtOnce)
    #expect(third.objective?.timePerOutputToken == 0.1)
    #expect(third.objective?.timeToFirstToken == nil)
  }

  @Test func figuresThatAreNoColumnsStay() throws {
    _ = try RunWriter(path: path)
    let reader = try ResultReader(path: path)
    #expect(try reader.query("SELECT extra FROM runs WHERE run_id < 3").rows == [[.null], [.null]])
    #expect(try reader.run(3)["p90_ttft_ms"]?.number != nil)
    #expect(
      try reader.query("SELECT run_id, instance, pool FROM instances").rows == [
        [1, 0, "all"], [2, 0, "all"], [3, 0, "all"],
      ])
  }
}
