import Foundation

/// A file as bytes.
enum InputFile {
  /// Reads a whole file; pipes will do.
  static func bytes(of path: String) throws(WorkloadError) -> [UInt8] {
    var isDirectory: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw .unreadable(file: path, reason: "no such file")
    }
    guard !isDirectory.boolValue else { throw .unreadable(file: path, reason: "it is a folder, not a file") }
    guard let handle = FileHandle(forReadingAtPath: path) else { throw .denied(file: path) }
    do {
      var bytes: [UInt8] = []
      while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
        bytes.append(contentsOf: piece)
      }
      return bytes
    } catch {
      throw .unreadable(file: path, reason: "reading failed")
    }
  }
}
