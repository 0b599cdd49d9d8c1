import Foundation
import Serving
import Support

/// What a trace file holds: a list of requests, or a distribution to draw them from.
public enum TraceFile: Sendable {
  /// A list of requests.
  case trace(Trace)
  /// A distribution of lengths.
  case model(LengthModel)

  /// Reads a file in any of the formats that `TraceFormat` lists.
  ///
  /// - Throws: a `WorkloadError` that says which line and field are wrong and what would be right.
  /// - Complexity: O(*n*) in the size of the file, about 0.2 µs a row, most of it for the digest; the file is held in memory meanwhile.
  public static func read(_ path: String) throws(WorkloadError) -> TraceFile {
    try read(path, timeUnit: nil)
  }

  /// Reads a file whose moments have a unit that its format does not say; `nil` for the format's own.
  public static func read(_ path: String, timeUnit: TimeUnit?) throws(WorkloadError) -> TraceFile {
    let bytes: [UInt8]
    do { bytes = try WholeFile.bytes(of: path) } catch { throw WorkloadError(error, file: path) }
    return try parse(bytes, file: path, timeUnit: timeUnit)
  }

  /// Reads the content of a file.
  static func parse(
    _ bytes: [UInt8], file: String, timeUnit: TimeUnit? = nil
  ) throws(WorkloadError) -> TraceFile {
    if bytes.starts(with: [0x1f, 0x8b]) {
      throw .unsupported(file: file, what: "it is compressed", instead: "unpack it with gunzip first")
    }
    let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    let text = bytes.span
    var start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    var line = 1
    while start < text.count, text[start] <= UInt8(ascii: " ") {
      if text[start] == UInt8(ascii: "\n") { line += 1 }
      start += 1
    }
    guard start < text.count else { throw .emptyTrace(file: file) }

    let rows: TraceBuilder
    switch text[start] {
    case UInt8(ascii: "{"):
      let keys = JSONLinesImporter.keys(text, from: start)
      if let keys, !keys.contains("schema") {
        guard let dialect = JSONLinesDialect.recognise(keys) else {
          throw .unknownFormat(file: file, beginning: keys.joined(separator: ",").onOneLine())
        }
        rows = try JSONLinesImporter.read(
          text, from: start, firstLine: line, dialect: dialect, file: file, timeUnit: timeUnit)
      } else {
        return .model(
          try LengthModel(
            parsing: Array(bytes[start...]), digest: SHA256.hexDigest(of: bytes), file: file))
      }
    case UInt8(ascii: "["):
      let lines = JSONArray.asLines(bytes[start...])
      let keys = lines.first == UInt8(ascii: "{") ? JSONLinesImporter.keys(lines.span, from: 0) : nil
      guard let keys, let dialect = JSONLinesDialect.recognise(keys) else {
        if let keys, !keys.contains(where: { $0.contains("conversation") || $0 == "messages" }) {
          throw .unknownFormat(file: file, beginning: keys.joined(separator: ",").onOneLine())
        }
        throw .unsupported(
          file: file, what: "conversations hold text, whose tokens only a tokenizer can count",
          instead: "use a CSV file with the columns prompt_len,output_len")
      }
      // The elements of an array count as lines.
      rows = try JSONLinesImporter.read(
        lines.span, from: 0, firstLine: 1, dialect: dialect, file: file, timeUnit: timeUnit)
    default:
      rows = try CSVImporter.read(bytes, file: file, timeUnit: timeUnit)
    }
    return .trace(try rows.finished(name: name, digest: SHA256.hexDigest(of: bytes)))
  }
}
