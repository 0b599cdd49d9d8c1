import Foundation
import GRDB
import Serving
import Support
import Testing

@testable import ResultStore

/// Whatever is wrong with a database: a typed error of one line, and what was there stays.
struct StoreErrorTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func aMissingDirectoryIsNotCreated() {
    let path = directory.file("missing/sim.sqlite")
    #expect(throws: ResultStoreError.missingDirectory(path: path)) { try RunWriter(path: path) }
    #expect(directory.contents == [])
  }

  @Test func aDirectoryIsNoDatabase() {
    let error = #expect(throws: ResultStoreError.self) { try RunWriter(path: directory.path) }
    #expect(error?.description == "cannot open the results database '\(directory.path)': it is a directory")
    #expect(error?.exitStatus == .cannotCreate)
  }

  @Test func thereIsNothingToRead() {
    let path = directory.database
    #expect(throws: ResultStoreError.missingDatabase(path: path)) { try ResultReader(path: path) }
    #expect(directory.contents == [])
  }

  @Test func aDirectoryCannotBeRead() {
    let error = #expect(throws: ResultStoreError.self) { try ResultReader(path: directory.path) }
    #expect(error?.exitStatus == .noInput)
  }

  @Test func aTextIsNoDatabase() throws {
    let path = directory.file("notes.txt")
    let text = String(repeating: "These are notes, and long ones. ", count: 40)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    #expect(throws: ResultStoreError.notADatabase(path: path)) { try RunWriter(path: path) }
    #expect(throws: ResultStoreError.notADatabase(path: path)) { try ResultReader(path: path) }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }

  @Test func anotherProgramsDatabaseIsLeftAlone() throws {
    let path = directory.database
    try DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE places (url TEXT)") }
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(throws: ResultStoreError.foreignDatabase(path: path)) { try RunWriter(path: path) }
    #expect(throws: ResultStoreError.foreignDatabase(path: path)) { try ResultReader(path: path) }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  @Test func aNewerDatabaseIsLeftAlone() throws {
    let path = directory.database
    try SampleRun.write(to: path)
    try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
    let expected = ResultStoreError.newerSchema(path: path, found: 99, supported: Schema.version)
    #expect(throws: expected) { try RunWriter(path: path) }
    #expect(throws: expected) { try ResultReader(path: path) }
    #expect(expected.description.contains("version 99"))
  }

  @Test func aDamagedDatabaseIsReported() throws {
    let path = directory.database
    try SampleRun.write(to: path)
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    for page in 1..<40 {
      try file.seek(toOffset: UInt64(page * 4_096))
      try file.write(contentsOf: Data(repeating: 0xa5, count: 512))
    }
    try file.close()
    #expect(throws: ResultStoreError.corrupt(path: path)) {
      try ResultReader(path: path).query("SELECT count(*), sum(t_end) FROM iterations, requests, spans")
    }
    #expect(throws: ResultStoreError.corrupt(path: path)) { try SampleRun.write(to: path) }
  }

  @Test func aLockIsWaitedForThenReported() throws {
    let path = directory.database
    try SampleRun.write(to: path)
    let writer = try RunWriter(path: path, busyTimeout: 0.2)
    SampleRun.record(in: writer)
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: path, configuration: configuration)
    try other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    let error = #expect(throws: ResultStoreError.locked(path: path, timeout: 0.2)) {
      try writer.finish(SampleRun.row)
    }
    #expect(error?.exitStatus == .temporaryFailure)
    // A reader does not wait.
    #expect(try ResultReader(path: path, busyTimeout: 0).runs().rows.count == 1)
    try other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    // Nothing was lost: the same writer can try again.
    #expect(try writer.finish(SampleRun.row) == 2)
    #expect(
      try ResultReader(path: path).query("SELECT count(*) FROM requests WHERE run_id = 2").rows == [[4]])
  }

  @Test func aFullDatabaseKeepsEarlierRuns() throws {
    let path = directory.database
    try SampleRun.write(to: path)
    let writer = try RunWriter(path: path)
    try writer.database.writeWithoutTransaction { db in
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      try db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
    }
    for index in 0..<1_000 {
      var iteration = IterationRecord()
      iteration.index = Int64(index)
      iteration.queueLength = Int32(index % 2)
      writer.record(iteration)
    }
    #expect(throws: ResultStoreError.diskFull(path: path)) { try writer.finish(SampleRun.row) }
    let reader = try ResultReader(path: path)
    #expect(
      try reader.query("SELECT count(*), (SELECT count(*) FROM iterations) FROM runs").rows == [[1, 7]])
    // Once there is room, the run can still be saved.
    try writer.database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 100000") }
    #expect(try writer.finish(SampleRun.row) == 2)
    #expect(try reader.query("SELECT count(*) FROM iterations WHERE run_id = 2").rows == [[1_000]])
  }

  /// A limit on the size of files stands in for a full disk, for the file beside the database.
  @Test func recordsThatFindNoRoomAreReportedAsTheyAreRecorded() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      try SampleRun.write(to: directory.database)
      let writer = try RunWriter(path: directory.database)
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
      try #require(unsafe setrlimit(__rlimit_resource_t(1), &limit) == 0)  // RLIMIT_FSIZE
      for index in 0..<100_000 {
        var iteration = IterationRecord()
        iteration.index = Int64(index)
        writer.record(iteration)
      }
      let error = #expect(throws: ResultStoreError.self) { try writer.finish(SampleRun.row) }
      #expect(error?.exitStatus == .ioError)
      #expect(writer.failure == error)
      #expect(try ResultReader(path: directory.database).runs().rows.count == 1)
      writer.abandon()
      #expect(writer.failure == nil)
      SampleRun.record(in: writer)
      #expect(try writer.finish(SampleRun.row) == 2)
    }
  }

  @Test(arguments: [0o444, 0o555]) func aReadOnlyFileOrDirectoryIsReported(mode: Int) async {
    await #expect(processExitsWith: .success) { [mode] in
      let directory = try TemporaryDirectory()
      // The superuser may write anything.
      if getuid() == 0 {
        unsafe chown(directory.path, 65_534, 65_534)
        try #require(setgid(65_534) == 0 && setuid(65_534) == 0)
      }
      try SampleRun.write(to: directory.database)
      let target = mode == 0o444 ? directory.database : directory.path
      let path = directory.database
      unsafe chmod(target, mode_t(mode))
      let error = #expect(throws: ResultStoreError.self) { try SampleRun.write(to: path) }
      #expect(error?.exitStatus == .noPermission)
      unsafe chmod(target, 0o755)
      #expect(try ResultReader(path: path).runs().rows.count == 1)
    }
  }

  @Test func everyErrorIsOneLine() {
    let errors: [ResultStoreError] = [
      .missingDirectory(path: "p"), .missingDatabase(path: "p"), .cannotRead(path: "p", reason: "r"),
      .cannotOpen(path: "p", reason: "r"),
      .readOnly(path: "p"), .notADatabase(path: "p"), .foreignDatabase(path: "p"),
      .newerSchema(path: "p", found: 2, supported: 1), .locked(path: "p", timeout: 1), .diskFull(path: "p"),
      .corrupt(path: "p"), .failed(path: "p", reason: "r"), .invalidQuery(reason: "r"), .notASelect,
      .inconsistentRun(reason: "r"),
    ]
    for error in errors {
      #expect(!error.description.isEmpty && !error.description.contains(where: \.isNewline))
    }
  }
}
