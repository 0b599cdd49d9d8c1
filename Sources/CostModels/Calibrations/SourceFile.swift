/// A file that a calibration was made from.
public struct SourceFile: Codable, Sendable, Hashable {
  /// Its path inside the profiles' directory.
  public let path: String
  /// Its SHA-256 digest, in hexadecimal.
  public let sha256: String

  package init(path: String, sha256: String) {
    self.path = path
    self.sha256 = sha256
  }
}
