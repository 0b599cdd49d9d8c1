import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// Opens results databases, and makes sure that they are.
enum ResultDatabase {
  /// Opens the database at `path` for writing; creates it, or brings its schema up to date, if need be.
  ///
  /// Commits wait for the disk (`synchronous = FULL`): a run that was reported as saved survives a power
  /// failure. That is one wait a run, not one a row.
  static func openForWriting(path: String, createDirectory: Bool, busyTimeout: Double)
    throws(ResultStoreError) -> DatabaseQueue
  {
    var isDirectory: ObjCBool = false
    let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    // SQLite takes the empty name and this one for databases that are gone when they are closed.
    guard !exists || !isDirectory.boolValue else {
      throw .cannotOpen(path: path, reason: "it is a directory")
    }
    guard !path.isEmpty, path != ":memory:", !path.hasSuffix("/") else {
      throw .cannotOpen(path: path, reason: "the name of a file is needed")
    }
    try prepareDirectory(of: path, create: createDirectory)
    do {
      let queue = try DatabaseQueue(path: plain(path), configuration: configuration(busyTimeout: busyTimeout))
      try queue.writeWithoutTransaction { db in
        let version = try self.version(of: db, path: path)
        guard unsafe sqlite3_db_readonly(db.sqliteConnection, "main") == 0 else {
          throw ResultStoreError.readOnly(path: path)
        }
        // Rows of ours set nothing off but this.
        let triggers = try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'")
        if let name = triggers.first(where: { !Schema.triggers.contains($0) }) {
          throw ResultStoreError.foreignTrigger(path: path, name: name)
        }
        // Only a new database heeds it. Large pages are fewer to log and to copy: a long run takes a seventh
        // less time than with SQLite's 4 KB, and a new database comes a millisecond later.
        try db.execute(sql: "PRAGMA page_size = 16384")
        try enterWriteAheadLogging(db, deadline: Date(timeIntervalSinceNow: busyTimeout))
        try db.execute(
          sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384")
        if version < Schema.version { try migrate(db, path: path) }
      }
      return queue
    } catch {
      throw ResultStoreError(error, path: path, busyTimeout: busyTimeout)
    }
  }

  /// Opens the database at `path` so that nothing can change it.
  static func openForReading(path: String, busyTimeout: Double) throws(ResultStoreError) -> DatabaseQueue {
    var isDirectory: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw .missingDatabase(path: path)
    }
    guard !isDirectory.boolValue else { throw .cannotRead(path: path, reason: "it is a directory") }
    do {
      let queue: DatabaseQueue
      do {
        // The last connection that may write removes the files that SQLite keeps beside a database.
        let folder = URL(filePath: path).deletingLastPathComponent().path
        let isWritable = [path, folder].allSatisfy(FileManager.default.isWritableFile)
        queue =
          isWritable || isInUse(path)
          ? try openAsItIs(path: path, readonly: !isWritable, busyTimeout: busyTimeout)
          : try openAlone(path: path, busyTimeout: busyTimeout)
      } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
        // A process was killed while it stored a large run. Any process that may write can undo the part that is there.
        _ = try openAsItIs(path: path, readonly: false, busyTimeout: busyTimeout)
        queue = try openAsItIs(path: path, readonly: true, busyTimeout: busyTimeout)
      }
      try queue.unsafeRead { db in
        let version = try self.version(of: db, path: path)
        guard version > 0 else { throw ResultStoreError.missingDatabase(path: path) }
        // A database that was received calls no function that could do more than compute.
        try db.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
        // A database that was received may ask for more memory than there is.
        _ = unsafe sqlite3_limit(db.sqliteConnection, SQLITE_LIMIT_LENGTH, 1 << 26)
        try db.execute(sql: Schema.standIns(forVersion: version))
        try db.execute(sql: "PRAGMA query_only = ON")
      }
      return queue
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
      throw .cannotRead(path: path, reason: error.message ?? "\(error.resultCode)")
    } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
      throw .cannotRead(
        path: path,
        reason:
          "a process was killed while it stored a run, and one that may write the file has to read it first")
    } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY {
      throw .cannotRead(
        path: path, reason: "SQLite keeps files beside it, so its folder must be writable; or read a copy")
    } catch {
      throw ResultStoreError(error, path: path, busyTimeout: busyTimeout)
    }
  }

  /// Opens an existing database, and reads something, which undoes what a crash has left half-written.
  private static func openAsItIs(path: String, readonly: Bool, busyTimeout: Double) throws -> DatabaseQueue {
    var configuration = configuration(busyTimeout: busyTimeout)
    configuration.readonly = readonly
    let queue = try DatabaseQueue(path: plain(path), configuration: configuration)
    _ = try queue.unsafeRead { db in try Int.fetchOne(db, sql: "PRAGMA user_version") }
    return queue
  }

  /// Whether another connection has a database open, or left it without closing it: its log lies beside it.
  static func isInUse(_ path: String) -> Bool {
    ["-wal", "-journal"].contains { FileManager.default.fileExists(atPath: path + $0) }
  }

  /// Opens a database that nobody has open as a file that does not change, so that nothing is written beside it: that works
  /// in a folder that cannot be written, and leaves nothing behind.
  private static func openAlone(path: String, busyTimeout: Double) throws -> DatabaseQueue {
    var allowed = CharacterSet.urlPathAllowed
    allowed.remove(charactersIn: "?#%")
    let full = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    guard let name = full.addingPercentEncoding(withAllowedCharacters: allowed) else {
      return try openAsItIs(path: path, readonly: true, busyTimeout: busyTimeout)
    }
    var configuration = configuration(busyTimeout: busyTimeout)
    configuration.readonly = true
    let queue = try DatabaseQueue(path: "file://\(name)?immutable=1", configuration: configuration)
    _ = try queue.unsafeRead { db in try Int.fetchOne(db, sql: "PRAGMA user_version") }
    return queue
  }

  /// The path of a file; SQLite takes a name that begins with `file:` for a URI.
  private static func plain(_ path: String) -> String { path.hasPrefix("file:") ? "./" + path : path }

  private static func configuration(busyTimeout: Double) -> Configuration {
    var configuration = Configuration()
    configuration.busyMode = .timeout(busyTimeout)
    configuration.foreignKeysEnabled = false
    return configuration
  }

  private static func prepareDirectory(of path: String, create: Bool) throws(ResultStoreError) {
    let directory = (path as NSString).deletingLastPathComponent
    if create && !directory.isEmpty {
      do {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      } catch {
        throw .cannotOpen(path: path, reason: "its directory cannot be created")
      }
    }
    var isDirectory: ObjCBool = false
    if !directory.isEmpty {
      guard unsafe FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory),
        isDirectory.boolValue
      else { throw .missingDirectory(path: path) }
    }
    if unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
      throw .cannotOpen(path: path, reason: "it is a directory")
    }
  }

  /// The version of the schema of a database of ours; 0 for an empty one.
  private static func version(of db: Database, path: String) throws -> Int {
    let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    if application != Schema.applicationID {
      let isEmpty = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") == 0
      guard isEmpty && application == 0 && version == 0 else {
        throw ResultStoreError.foreignDatabase(path: path)
      }
    }
    guard version <= Schema.version else {
      throw ResultStoreError.newerSchema(path: path, found: version, supported: Schema.version)
    }
    return version
  }

  /// Switches to write-ahead logging, so that readers and a writer do not wait for each other.
  ///
  /// SQLite does not call its busy handler when several connections switch a new database at once; hence the
  /// loop.
  private static func enterWriteAheadLogging(_ db: Database, deadline: Date) throws {
    while true {
      do {
        try db.execute(sql: "PRAGMA journal_mode = WAL")
        return
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && Date() < deadline {
        Thread.sleep(forTimeInterval: 0.005)
      }
    }
  }

  /// Has `body` write in one transaction; one of a large run bypasses the write-ahead log, if no other
  /// connection has the database open.
  ///
  /// What goes through the log is written twice. For a large run that is a third of all its time, and worth having
  /// others wait until it is stored: for so long the file is theirs neither to write nor to read. A rollback journal
  /// of the few pages that were there before keeps it safe against a crash.
  static func write(_ db: Database, isLarge: Bool, _ body: () throws -> Void) throws {
    try turn.withLock { _ in
      if isLarge, try writeAlone(db, body) { return }
      try db.inTransaction(.immediate) {
        try body()
        return .commit
      }
    }
  }

  /// Serialises the writing threads of this process: SQLite lets those that wait look again after longer
  /// and longer pauses.
  private static let turn = Mutex(())

  /// Whether the database was ours alone; if not, `body` was not called.
  private static func writeAlone(_ db: Database, _ body: () throws -> Void) throws -> Bool {
    // No waiting, here and later: each reader that comes before the lock is exclusive would prolong it.
    let timeout = try Int.fetchOne(db, sql: "PRAGMA busy_timeout") ?? 0
    try db.execute(sql: "PRAGMA busy_timeout = 0")
    defer { try? db.execute(sql: "PRAGMA busy_timeout = \(timeout)") }
    // Keeps other connections out between the change of mode and the transaction.
    try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
    guard (try? db.execute(sql: "PRAGMA journal_mode = TRUNCATE")) != nil else {
      try db.execute(sql: "PRAGMA locking_mode = NORMAL")
      return false
    }
    defer {
      try? db.execute(sql: "PRAGMA locking_mode = NORMAL")
      // If this fails, the next connection that writes makes up for it.
      try? enterWriteAheadLogging(db, deadline: Date(timeIntervalSinceNow: 2))
    }
    try db.beginTransaction(.exclusive)
    do {
      try body()
      try db.commit()
    } catch {
      if db.isInsideTransaction { try? db.rollback() }
      throw error
    }
    return true
  }

  private static func migrate(_ db: Database, path: String) throws {
    try db.inTransaction(.immediate) {
      // Another process may have been faster.
      for version in try version(of: db, path: path)..<Schema.version {
        try db.execute(sql: Schema.migrations[version])
        try db.execute(
          sql: """
            PRAGMA user_version = \(version + 1);
            PRAGMA application_id = \(Schema.applicationID)
            """)
      }
      return .commit
    }
  }
}
