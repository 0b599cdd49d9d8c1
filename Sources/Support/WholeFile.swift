import Foundation

/// A file that is written whole or not at all, or standard output where its path is `-`.
///
/// What is written goes to a file beside it, which takes its name once it is complete and on the disk. A run that is
/// killed or a full disk leaves what was there before; a file that is not finished is removed.
///
///     let file = try WholeFile(path: "timeline.json")
///     file.write("{}\n")
///     try file.finish()
public final class WholeFile {
  private let path: String
  /// Where bytes go until the end; `nil` if they go to their place at once.
  private let partial: String?
  private let handle: FileHandle
  private var buffer: [UInt8] = []
  private var isFinished = false
  /// What went wrong first; nothing is written after it, and ``finish()`` throws it.
  public private(set) var failure: FileError?

  /// Begins a file.
  ///
  /// - Parameter path: The file; the folder that it is in must exist. A device or a pipe is written in place.
  /// - Throws: ``FileError/cannotCreate(path:reason:)``.
  public init(path: String) throws(FileError) {
    self.path = path
    if path == "-" {
      partial = nil
      handle = .standardOutput
      return
    }
    let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    guard type != .typeDirectory, !path.isEmpty, !path.hasSuffix("/") else {
      throw .cannotCreate(path: path, reason: "it is a folder")
    }
    let isInPlace = type != nil && type != .typeRegular && type != .typeSymbolicLink
    let target = isInPlace ? path : "\(path).\(getpid()).partial"
    let flags = isInPlace ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
    let descriptor = unsafe open(target, flags, 0o644)
    guard descriptor >= 0 else { throw .cannotCreate(path: path, reason: FileError.lastReason) }
    partial = isInPlace ? nil : target
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  deinit {
    if let partial, !isFinished { unsafe unlink(partial) }
  }

  /// Appends text; what goes wrong is thrown by ``finish()``.
  public func write(_ text: String) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= 1 << 16 { flush() }
  }

  /// Appends bytes; what goes wrong is thrown by ``finish()``.
  public func write(_ bytes: [UInt8]) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= 1 << 16 { flush() }
  }

  /// Ends the file and gives it its name.
  ///
  /// - Throws: What went wrong since the beginning.
  public func finish() throws(FileError) {
    flush()
    if let failure { throw failure }
    guard let partial else { return }
    do {
      try handle.synchronize()
      try handle.close()
    } catch {
      throw .cannotWrite(path: path, reason: FileError.reason(error))
    }
    guard unsafe rename(partial, path) == 0 else {
      throw .cannotCreate(path: path, reason: FileError.lastReason)
    }
    isFinished = true
  }

  private func flush() {
    defer { buffer.removeAll(keepingCapacity: true) }
    guard failure == nil, !buffer.isEmpty else { return }
    do {
      try handle.write(contentsOf: buffer)
    } catch {
      failure = .cannotWrite(path: path, reason: FileError.reason(error))
    }
  }

  /// Replaces a file by a text, whole or not at all.
  ///
  /// - Parameters:
  ///   - path: The file; the folder that it is in must exist.
  ///   - text: The new content.
  /// - Throws: ``FileError``.
  public static func replace(_ path: String, with text: String) throws(FileError) {
    let file = try WholeFile(path: path)
    file.write(text)
    try file.finish()
  }

  /// The content of a file or a pipe.
  ///
  /// - Parameter path: The file.
  /// - Returns: All bytes.
  /// - Throws: ``FileError/cannotRead(path:reason:)`` or ``FileError/denied(path:)``.
  public static func bytes(of path: String) throws(FileError) -> [UInt8] {
    var isDirectory: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw .cannotRead(path: path, reason: "no such file")
    }
    guard !isDirectory.boolValue else { throw .cannotRead(path: path, reason: "it is a folder, not a file") }
    guard let handle = FileHandle(forReadingAtPath: path) else { throw .denied(path: path) }
    do {
      var bytes: [UInt8] = []
      while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
        // Whatever is read here is text; a device such as /dev/zero never ends.
        if bytes.isEmpty, piece.starts(with: "SQLite format 3".utf8) {
          throw FileError.cannotRead(path: path, reason: "it is an SQLite database; expected text in UTF-8")
        }
        if bytes.isEmpty, piece.contains(0), !piece.starts(with: [0x1f, 0x8b]) {
          throw FileError.cannotRead(
            path: path, reason: "it is not text, it holds bytes of value 0; expected UTF-8")
        }
        bytes.append(contentsOf: piece)
      }
      return bytes
    } catch let error as FileError {
      throw error
    } catch {
      throw .cannotRead(path: path, reason: "reading failed")
    }
  }
}

/// What can go wrong with a file.
public enum FileError: UserError, Hashable {
  /// The file is missing or cannot be read.
  case cannotRead(path: String, reason: String)
  /// The file may not be read.
  case denied(path: String)
  /// The file cannot be created.
  case cannotCreate(path: String, reason: String)
  /// Writing failed half-way; what the file was before is untouched.
  case cannotWrite(path: String, reason: String)

  /// Why, in a few words: `no such file`.
  public var reason: String {
    switch self {
    case .cannotRead(_, let reason), .cannotCreate(_, let reason), .cannotWrite(_, let reason): reason
    case .denied: "permission denied"
    }
  }

  /// What went wrong, in one line.
  public var description: String {
    switch self {
    case .cannotRead(let path, _), .denied(let path): "cannot read '\(path)': \(reason)"
    case .cannotCreate(let path, _): "cannot create '\(path)': \(reason)"
    case .cannotWrite(let path, _): "cannot write '\(path)': \(reason); the file is as it was before"
    }
  }

  /// The status that the program exits with.
  public var exitStatus: ExitStatus {
    switch self {
    case .cannotRead: .noInput
    case .denied: .noPermission
    case .cannotCreate: .cannotCreate
    case .cannotWrite: .ioError
    }
  }

  /// Why the last call of the system failed: `no space left on device`.
  static var lastReason: String { unsafe String(cString: strerror(errno)).lowercased() }

  /// What went wrong, in the system's words where it is the system's error.
  static func reason(_ error: any Error) -> String {
    let outer = error as NSError
    let inner = outer.userInfo[NSUnderlyingErrorKey] as? NSError ?? outer
    guard inner.domain == NSPOSIXErrorDomain, let text = unsafe strerror(Int32(inner.code)) else {
      return error.localizedDescription
    }
    return unsafe String(cString: text).lowercased()
  }
}
