import Foundation
import Testing

@testable import ResultStore

/// Processes that are killed, and processes and threads that write at once.
struct CrashTests {
  /// A process stores run after run, and is killed at some moment; what is there is whole.
  ///
  /// Large runs bypass the write-ahead log; here they all do, or none.
  @Test(arguments: [5, 20, 60, 150], [false, true])
  func aKilledProcessLeavesWholeRuns(milliseconds: Int, areLarge: Bool) async throws {
    // Other runs of these tests have files of their own.
    let path: String =
      NSTemporaryDirectory() + "ResultStoreTests-killed-\(milliseconds)-\(areLarge)-\(getpid()).sqlite"
    defer {
      for suffix in ["", "-wal", "-shm", "-journal"] {
        try? FileManager.default.removeItem(atPath: path + suffix)
      }
    }
    try SampleRun.write(to: path)
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, milliseconds, areLarge] in
      Thread.detachNewThread {
        Thread.sleep(forTimeInterval: Double(milliseconds) / 1_000)
        kill(getpid(), SIGKILL)
      }
      let writer = try RunWriter(path: path, logLevel: .kernels)
      writer.largeRun = areLarge ? 0 : .max
      while true {
        // Twenty instances: the transaction takes a few milliseconds.
        for instance in 0..<20 { SampleRun.recordIterations(in: writer, instance: Int32(instance)) }
        SampleRun.record(in: writer, instance: 20)
        _ = try writer.finish(SampleRun.row, kernels: SampleRun.kernels)
      }
    }
    let reader = try ResultReader(path: path)
    let runs = try reader.query(
      """
      SELECT (SELECT count(*) FROM requests q WHERE q.run_id = r.run_id),
        (SELECT count(*) FROM iterations i WHERE i.run_id = r.run_id),
        (SELECT count(*) FROM spans s WHERE s.run_id = r.run_id),
        (SELECT count(*) FROM kernels k WHERE k.run_id = r.run_id)
      FROM runs r WHERE run_id > 1
      """)
    #expect(runs.rows.allSatisfy { $0 == [4, 147, 8, 2] })
    let orphans = try reader.query(
      "SELECT count(*) FROM iterations WHERE run_id NOT IN (SELECT run_id FROM runs)")
    #expect(orphans.rows == [[0]])
    #expect(try reader.query("PRAGMA integrity_check").rows == [["ok"]])
    // Life goes on.
    try SampleRun.write(to: path)
  }

  /// All of them also race to create the database, and large runs to have it to themselves.
  @Test(arguments: [false, true]) func manyWritersShareADatabase(areLarge: Bool) async throws {
    let directory = try TemporaryDirectory()
    let path = directory.database
    let runIDs = try await withThrowingTaskGroup(of: [Int64].self) { group in
      for _ in 0..<8 {
        group.addTask {
          try (0..<10).map { _ in
            let writer = try RunWriter(path: path)
            writer.largeRun = areLarge ? 0 : .max
            SampleRun.record(in: writer)
            return try writer.finish(SampleRun.row, kernels: SampleRun.kernels)
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(runIDs.sorted() == Array(1...80))
    let found = try ResultReader(path: path).query(
      "SELECT count(DISTINCT run_id), count(*), (SELECT count(*) FROM iterations) FROM requests")
    #expect(found.rows == [[80, 320, 560]])
  }

  @Test func aLargeRunBypassesTheLogIfItIsAlone() throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    writer.largeRun = 0
    SampleRun.record(in: writer)
    #expect(try writer.finish(SampleRun.row) == 1)
    let log = directory.database + "-wal"
    func bytesInLog() throws -> Int {
      guard FileManager.default.fileExists(atPath: log) else { return 0 }
      return try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int ?? -1
    }
    #expect(try bytesInLog() == 0)

    let reader = try ResultReader(path: directory.database)
    #expect(try reader.query("SELECT journal_mode FROM pragma_journal_mode").rows == [["wal"]])
    SampleRun.record(in: writer)
    #expect(try writer.finish(SampleRun.row) == 2)
    #expect(try reader.query("SELECT count(*) FROM runs").rows == [[2]])
    #expect(try bytesInLog() > 0)
  }

  @Test func aRunThatIsNotFinishedDoesNotLock() throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    SampleRun.record(in: writer)
    let other = try RunWriter(path: directory.database, busyTimeout: 0)
    SampleRun.record(in: other)
    #expect(try other.finish(SampleRun.row) == 1)
    #expect(try writer.finish(SampleRun.row) == 2)
  }
}
