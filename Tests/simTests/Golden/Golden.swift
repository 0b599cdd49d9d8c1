import Foundation

/// What a small run came to, as the file beside this one keeps it.
struct Golden: Codable, Equatable {
  let name: String
  /// What makes the run special, to be read by eye.
  let counts: Counts
  /// Digest of who ran when.
  let schedule: String
  /// Digest of bytes, operations and counts.
  let bytes: String
  /// Sums of times and joules.
  let figures: [Double]

  struct Counts: Codable, Equatable {
    var completed = 0
    var rejected = 0
    var unfinished = 0
    var preemptions = 0
    var iterations = 0
    var longestQueue = 0
  }

  /// Whether this is the same run: digests equal, sums equal but for the order in which they were added up.
  func agrees(with other: Golden) -> Bool {
    name == other.name && counts == other.counts && schedule == other.schedule && bytes == other.bytes
      && figures.count == other.figures.count
      && zip(figures, other.figures).allSatisfy { abs($0 - $1) <= 1e-12 * max(abs($0), abs($1)) }
  }
}

/// All golden runs, and the revision of the program that made them.
struct GoldenFile: Codable {
  var revision: Int
  var runs: [Golden]

  static let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "golden.json")

  static func read() throws -> GoldenFile {
    try JSONDecoder().decode(GoldenFile.self, from: Data(contentsOf: path))
  }

  func write() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try (encoder.encode(self) + Data("\n".utf8)).write(to: Self.path)
  }
}
