import Serving
import Support

/// What can go wrong between a run and its database.
///
/// Whatever it is, the runs already stored stay as they were.
public enum ResultStoreError: UserError, Hashable {
  /// The directory that should hold the database does not exist.
  case missingDirectory(path: String)
  /// There is no database to read.
  case missingDatabase(path: String)
  /// There is a file, but it cannot be read.
  case cannotRead(path: String, reason: String)
  /// The file cannot be opened or created.
  case cannotOpen(path: String, reason: String)
  /// The file or its directory may not be written.
  case readOnly(path: String)
  /// The file is not an SQLite database.
  case notADatabase(path: String)
  /// The file is an SQLite database, but of another program.
  case foreignDatabase(path: String)
  /// The database has a trigger that this program did not make, and that would act on what it writes.
  case foreignTrigger(path: String, name: String)
  /// A query took longer than it may, in seconds.
  case tooLong(limit: Double)
  /// The database was written by a newer version of this program.
  case newerSchema(path: String, found: Int, supported: Int)
  /// Another process kept the write lock for longer than the time-out, in seconds.
  case locked(path: String, timeout: Double)
  /// The disk is full.
  case diskFull(path: String)
  /// The database is damaged.
  case corrupt(path: String)
  /// Reading or writing failed.
  case failed(path: String, reason: String)
  /// The database has no such run, or none at all.
  case missingRun(path: String, run: Int64?)
  /// A run was logged at a level that leaves out what is asked for.
  case notLogged(path: String, run: Int64, what: String, level: LogLevel)
  /// The query is not one that SQLite understands, or failed as it ran.
  case invalidQuery(reason: String)
  /// The query would change the database, or returns no rows by its nature.
  case notASelect
  /// The records of a run contradict each other.
  case inconsistentRun(reason: String)

  /// One line: what is wrong, where, and what would be right.
  public var description: String {
    switch self {
    case .missingDirectory(let path):
      "cannot write results to '\(path)': its directory does not exist; create it or name another file"
    case .missingDatabase(let path):
      "there is no results database '\(path)'; run a simulation first or name another file"
    case .cannotRead(let path, let reason):
      "cannot read the results database '\(path)': \(reason)"
    case .cannotOpen(let path, let reason):
      "cannot open the results database '\(path)': \(reason)"
    case .readOnly(let path):
      "cannot write to the results database '\(path)': the file or its directory is read-only"
    case .notADatabase(let path):
      "'\(path)' is not an SQLite database and was left as it is; name another file for the results"
    case .foreignDatabase(let path):
      "'\(path)' is an SQLite database of another program and was left as it is; name another file"
    case .foreignTrigger(let path, let name):
      "the results database '\(path)' has a trigger '\(name.onOneLine())' that is not this program's and was left as it is; "
        + "drop the trigger or name another file"
    case .tooLong(let limit):
      "the query was stopped after \(limit) s; --time-limit gives it longer"
    case .newerSchema(let path, let found, let supported):
      "the results database '\(path)' has version \(found) but this program knows versions up to \(supported); "
        + "use a newer program or another file"
    case .locked(let path, let timeout):
      "the results database '\(path)' was locked by another process for more than \(timeout) s; try again later"
    case .diskFull(let path):
      "the disk that holds the results database '\(path)' is full; the run was not saved, earlier runs are intact"
    case .corrupt(let path):
      "the results database '\(path)' is damaged; restore a copy or move it away"
    case .failed(let path, let reason):
      "using the results database '\(path)' failed: \(reason)"
    case .missingRun(let path, nil):
      "the results database '\(path)' has no run yet; run a simulation first or name another file"
    case .missingRun(let path, let run?):
      "the results database '\(path)' has no run \(run); 'sim query runs' lists those that there are"
    case .notLogged(let path, let run, let what, let level):
      "run \(run) in '\(path)' was logged without \(what); simulate it again with --log \(level.rawValue)"
    case .invalidQuery(let reason):
      "the query is wrong: \(reason)"
    case .notASelect:
      "the results database is only read here: the query must be one SELECT statement"
    case .inconsistentRun(let reason):
      "the run was not saved because its records contradict each other: \(reason)"
    }
  }

  /// The status that the program exits with.
  public var exitStatus: ExitStatus {
    switch self {
    case .missingDirectory, .cannotOpen: .cannotCreate
    case .missingDatabase, .cannotRead, .missingRun, .notLogged: .noInput
    case .readOnly: .noPermission
    case .notADatabase, .foreignDatabase, .foreignTrigger, .newerSchema, .corrupt: .dataError
    case .locked, .tooLong: .temporaryFailure
    case .diskFull, .failed: .ioError
    case .invalidQuery, .notASelect: .usage
    case .inconsistentRun: .software
    }
  }
}
