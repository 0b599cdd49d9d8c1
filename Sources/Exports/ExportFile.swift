import Foundation

/// A text file in the making, or standard output where its path is `-`.
///
/// What is written goes to a file beside it, which takes its name only once it is whole: a run that is killed or a
/// full disk leaves whatever was there before.
package final class ExportFile {
  private let path: String
  /// Where bytes go until the end; `nil` if they go to their place at once.
  private let partial: String?
  private let handle: FileHandle
  private var buffer: [UInt8] = []
  /// What went wrong first; nothing is written after it, and `finish()` throws it.
  package private(set) var failure: ExportError?

  /// Creates the file.
  package init(path: String) throws(ExportError) {
    self.path = path
    if path == "-" {
      partial = nil
      handle = .standardOutput
      return
    }
    let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    guard type != .typeDirectory else { throw .cannotCreate(path: path, reason: "it is a folder") }
    // A device or a pipe is written where it is.
    let isInPlace = type != nil && type != .typeRegular && type != .typeSymbolicLink
    let target = isInPlace ? path : path + ".partial"
    if !isInPlace, !FileManager.default.createFile(atPath: target, contents: nil) {
      let reason = unsafe String(cString: strerror(errno))
      throw .cannotCreate(path: path, reason: reason.lowercased())
    }
    guard let handle = FileHandle(forWritingAtPath: target) else {
      throw .cannotCreate(path: path, reason: "it cannot be opened for writing")
    }
    partial = isInPlace ? nil : target
    self.handle = handle
  }

  deinit {
    if let partial { try? FileManager.default.removeItem(atPath: partial) }
  }

  /// Appends text.
  package func write(_ text: String) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= 1 << 16 { flush() }
  }

  /// Ends the file, and gives it its name.
  package func finish() throws(ExportError) {
    flush()
    if let failure { throw failure }
    guard let partial else { return }
    do { try handle.close() } catch {
      throw .cannotWrite(path: path, reason: "\(error.localizedDescription)")
    }
    guard unsafe rename(partial, path) == 0 else {
      throw .cannotCreate(path: path, reason: unsafe String(cString: strerror(errno)).lowercased())
    }
  }

  private func flush() {
    defer { buffer.removeAll(keepingCapacity: true) }
    guard failure == nil, !buffer.isEmpty else { return }
    do {
      try handle.write(contentsOf: buffer)
    } catch {
      failure = .cannotWrite(path: path, reason: error.localizedDescription)
    }
  }
}
