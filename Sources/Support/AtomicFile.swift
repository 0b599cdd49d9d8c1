import Foundation
import Glibc

/// Files that are replaced whole or not at all.
package enum AtomicFile {
  /// Replaces a file by a new one, once all of that is on the disk.
  ///
  /// The new file is written beside the old one under another name, flushed, and renamed: whoever reads, or whatever
  /// fails, sees either the old file or the new one. If anything fails, the unfinished file is removed.
  ///
  /// - Parameters:
  ///   - path: The file; the folder that it is in must exist.
  ///   - write: Writes the new content.
  /// - Throws: What `write` throws, or a `POSIXError`.
  package static func replace(_ path: String, _ write: (FileHandle) throws -> Void) throws {
    let unfinished = "\(path).\(getpid()).unfinished"
    let descriptor = unsafe open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    do {
      let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
      defer { close(descriptor) }
      try write(file)
      try file.synchronize()
      guard unsafe rename(unfinished, path) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    } catch {
      unsafe unlink(unfinished)
      throw error
    }
  }

  /// What went wrong, in the system's words: `No space left on device`.
  package static func reason(_ error: any Error) -> String {
    let outer = error as NSError
    let inner = outer.userInfo[NSUnderlyingErrorKey] as? NSError ?? outer
    guard inner.domain == NSPOSIXErrorDomain, let text = unsafe strerror(Int32(inner.code)) else {
      return error.localizedDescription
    }
    return unsafe String(cString: text)
  }
}
