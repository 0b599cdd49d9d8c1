import ArgumentParser
import Foundation
import ResultStore
import Serving
import Testing

@testable import sim

@Suite struct SweepTests {
  /// 24 points, some of them cut.
  static let arguments =
    [
      "--policy", "chunked,layered", "--request-rate", "1:4", "--seed", "0:2", "--num-prompts", "300",
      "--max-duration", "90",
    ] + TestProject.folders

  static func sweep(_ database: String, _ options: [String] = [], _ arguments: [String] = arguments) throws {
    try SweepCommand.parse(["--db", database, "--json"] + options + arguments).run()
  }

  static func count(_ database: String) throws -> Int {
    try ResultReader(path: database).runs().rows.count
  }

  @Test func jobsMakeNoDifference() throws {
    try TestProject.withDatabase { one in
      try TestProject.withDatabase { three in
        try Self.sweep(one, ["--jobs", "1"])
        try Self.sweep(three, ["--jobs", "3"])
        #expect(try Self.count(one) == 24)
        #expect(try TestProject.contents(of: one) == TestProject.contents(of: three))
      }
    }
  }

  @Test func finishedPointsAreNotRunAgain() throws {
    try TestProject.withDatabase { database in
      try Self.sweep(database, [], ["--policy", "layered", "--num-prompts", "50"] + TestProject.folders)
      try Self.sweep(
        database, [], ["--num-prompts", "50", "--policy", "chunked,layered"] + TestProject.folders)
      #expect(try Self.count(database) == 2)
      // What was logged is not enough: the points are run again.
      try Self.sweep(
        database, ["--log", "iterations"],
        ["--num-prompts", "50", "--policy", "chunked,layered"] + TestProject.folders)
      #expect(try Self.count(database) == 4)
      try Self.sweep(
        database, ["--no-resume"], ["--num-prompts", "50", "--policy", "layered"] + TestProject.folders)
      #expect(try Self.count(database) == 5)
    }
  }

  /// Without a database the table is the same, but for the numbers of the runs.
  @Test func aSweepNeedsNoDatabase() throws {
    let points = ["--policy", "chunked,layered", "--seed", "0:1", "--num-prompts", "20"]
    try TestProject.withDatabase { database in
      func rows(_ options: [String]) throws -> [[String: Any]] {
        let outcome = try Binary.run(["sweep", "--json", "--db", database] + options + points)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try #require(
          try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
      }
      let plain = try rows(["--no-db"])
      #expect(!FileManager.default.fileExists(atPath: database))
      let logged = try rows([])
      #expect(plain.count == 4 && plain.allSatisfy { $0["run_id"] is NSNull })
      for (a, b) in zip(plain, logged) {
        let pair = [a, b].map { row in NSDictionary(dictionary: row.filter { $0.key != "run_id" }) }
        #expect(pair[0] == pair[1])
      }
    }
  }

  @Test func aDryRunWritesNothing() throws {
    try TestProject.withDatabase { database in
      try Self.sweep(database, ["--dry-run"])
      #expect(!FileManager.default.fileExists(atPath: database))
    }
  }

  @Test func equalPointsRunOnce() throws {
    try TestProject.withDatabase { database in
      try Self.sweep(
        database, [],
        ["--policy", "chunked,chunked[budget=16384]", "--num-prompts", "20"] + TestProject.folders)
      #expect(try Self.count(database) == 1)
    }
  }

  @Test func aDatabaseOfAnotherVersionIsLeftAlone() throws {
    try TestProject.withDatabase { database in
      try Data("not a database, and long enough to be read as one that is not".utf8).write(
        to: URL(filePath: database))
      #expect(throws: ResultStoreError.notADatabase(path: database)) { try Self.sweep(database) }
    }
  }

  /// One bad point keeps the others from running: it is told before anything is.
  @Test func wrongPointsAreToldBeforehand() throws {
    try TestProject.withDatabase { database in
      for bad in [["--policy", "chunked,nosuch"], ["--bogus", "1"], ["--request-rate", "1,abc"]] {
        #expect(throws: (any Error).self) { try Self.sweep(database, [], bad + TestProject.folders) }
      }
      #expect(!FileManager.default.fileExists(atPath: database))
    }
  }

  @Test func cutRunsSaySo() throws {
    try TestProject.withDatabase { database in
      try Self.sweep(
        database, [],
        ["--request-rate", "8", "--num-prompts", "400", "--max-duration", "30"] + TestProject.folders)
      let row = try ResultReader(path: database).query(
        """
        SELECT unfinished > 0, max_duration, completed + failed < 400,
          (SELECT count(*) FROM requests WHERE status = 'unfinished') = unfinished
        FROM runs
        """
      ).rows
      #expect(row == [[1, 30.0, 1, 1]])
    }
  }

  /// A sweep killed half-way and started again ends like one that was left alone.
  @Test(arguments: [1, 8, 17]) func aKilledSweepGoesOn(points: Int) async throws {
    let killed: String = NSTemporaryDirectory() + "simTests-killed-\(UUID().uuidString).sqlite"
    defer {
      for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: killed + suffix) }
    }
    await #expect(processExitsWith: .signal(SIGKILL)) { [killed = killed as String, points] in
      Thread.detachNewThread {
        while (try? SweepTests.count(killed)) ?? 0 < points { usleep(200) }
        kill(getpid(), SIGKILL)
      }
      try SweepTests.sweep(killed, ["--jobs", "2"])
      // On a busy machine the blow may come late.
      while true { sleep(1) }
    }
    #expect((points...24).contains(try Self.count(killed)))
    try Self.sweep(killed)
    try TestProject.withDatabase { whole in
      try Self.sweep(whole)
      #expect(try TestProject.contents(of: killed) == TestProject.contents(of: whole))
    }
  }
}
