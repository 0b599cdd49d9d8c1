/// Where in a file the fields of one row are; an empty range for a field that is missing.
struct TraceFields {
  /// The line that the row begins on, from 1.
  var line: Int
  var prompt = 0..<0
  var output = 0..<0
  var time = 0..<0
  /// The number of images.
  var images = 0..<0
  /// A list of block hashes in JSON.
  var hashes = 0..<0

  init(line: Int) { self.line = line }
}
