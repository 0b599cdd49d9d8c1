import Foundation
import GRDB

extension ResultStoreError {
  /// Translates whatever using the database at `path` threw.
  init(_ error: any Error, path: String, busyTimeout: Double) {
    guard let error = error as? DatabaseError else {
      self = (error as? ResultStoreError) ?? .failed(path: path, reason: Self.oneLine("\(error)"))
      return
    }
    let reason = Self.oneLine(error.message ?? "\(error.resultCode)")
    self =
      switch error.resultCode {
      case .SQLITE_BUSY, .SQLITE_LOCKED: .locked(path: path, timeout: busyTimeout)
      case .SQLITE_FULL: .diskFull(path: path)
      case .SQLITE_READONLY, .SQLITE_PERM: .readOnly(path: path)
      case .SQLITE_NOTADB: .notADatabase(path: path)
      case .SQLITE_CORRUPT: .corrupt(path: path)
      case .SQLITE_CANTOPEN: .cannotOpen(path: path, reason: reason)
      case .SQLITE_CONSTRAINT: .inconsistentRun(reason: reason)
      default: .failed(path: path, reason: reason)
      }
  }

  /// The error behind `errno`, after a system call on a file beside the database at `path`.
  init(errno code: Int32, path: String) {
    self =
      switch code {
      case ENOSPC, EDQUOT: .diskFull(path: path)
      case EACCES, EROFS, EPERM: .readOnly(path: path)
      default: .failed(path: path, reason: unsafe String(cString: strerror(code)))
      }
  }

  private static func oneLine(_ message: String) -> String {
    message.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
