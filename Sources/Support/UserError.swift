/// An error that is the user's to mend: its description is one line that says what is wrong, where, and what
/// would be right.
public protocol UserError: Error, CustomStringConvertible, Sendable {
  /// The status that the program exits with.
  var exitStatus: ExitStatus { get }
}

/// Exit statuses, as in BSD's `sysexits.h`.
public enum ExitStatus: Int32, Sendable {
  /// The command line is wrong.
  case usage = 64
  /// The content of an input file is wrong.
  case dataError = 65
  /// An input file is missing or unreadable.
  case noInput = 66
  /// Something that the program rests on is missing.
  case unavailable = 69
  /// An invariant of the program itself is broken.
  case software = 70
  /// An output file cannot be created.
  case cannotCreate = 73
  /// Reading or writing failed half-way.
  case ioError = 74
  /// Another process is in the way; the same command may succeed later.
  case temporaryFailure = 75
  /// Permission is missing.
  case noPermission = 77
  /// A profile or descriptor is wrong or does not go with the rest.
  case configuration = 78
}
