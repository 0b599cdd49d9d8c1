import Foundation

/// A folder that lives as long as one closure.
public enum ScratchFolder {
  /// Writes a file, hands its place to a closure and removes it again.
  public static func with<Result>(_ name: String, _ text: String, _ body: (URL) throws -> Result) throws
    -> Result
  {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: name)
    try Data(text.utf8).write(to: file)
    return try body(file)
  }
}
