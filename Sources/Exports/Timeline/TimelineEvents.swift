import ResultStore
import Support

/// Writes events of a Chrome trace, one a line, as they come.
///
/// The format: "Trace Event Format", Google, 2016; times are in microseconds, here with three digits behind the point,
/// from whole nanoseconds, so that slices that touch in the run touch in the trace.
package struct TimelineEvents {
  private let file: WholeFile
  private var separator = "\n"

  /// Begins a trace.
  package init(file: WholeFile) {
    self.file = file
    file.write("{\"displayTimeUnit\": \"ms\", \"traceEvents\": [")
  }

  /// Whether writing still makes sense.
  package var isWorking: Bool { file.failure == nil }

  /// Something that lasts; slices of a lane must lie beside or within each other.
  package mutating func slice(
    _ name: String, process: Int64, lane: Int, from start: Double, to end: Double, _ arguments: String = ""
  ) {
    let begin = Self.nanoseconds(start)
    let length = Self.microseconds(Self.nanoseconds(end) - begin)
    add("X", name, process, lane, "\"ts\": \(Self.microseconds(begin)), \"dur\": \(length)", arguments)
  }

  /// Something that happens.
  package mutating func instant(
    _ name: String, process: Int64, lane: Int, at time: Double, _ arguments: String = ""
  ) {
    let stamp = Self.microseconds(Self.nanoseconds(time))
    add("i", name, process, lane, "\"ts\": \(stamp), \"s\": \"t\"", arguments)
  }

  /// A quantity from a moment on.
  package mutating func counter(
    _ name: String, process: Int64, at time: Double, _ unit: String, _ value: RunValue
  ) {
    let stamp = Self.microseconds(Self.nanoseconds(time))
    add("C", name, process, 0, "\"ts\": \(stamp)", "\(RunValue(unit).json): \(value.json)")
  }

  /// The name of a process, or of a lane of it, and where it stands.
  package mutating func name(_ name: String, process: Int64, lane: Int?) {
    let kind = lane == nil ? "process" : "thread"
    let rank = lane.map { Int64($0) } ?? process
    add("M", "\(kind)_name", process, lane ?? 0, nil, "\"name\": \(RunValue(name).json)")
    add("M", "\(kind)_sort_index", process, lane ?? 0, nil, "\"sort_index\": \(rank)")
  }

  /// Ends the trace.
  package mutating func end(about members: [(String, RunValue)]) {
    var json = JSONWriter()
    json.object { json in for (key, value) in members { json.member(key, value) } }
    file.write("\n], \"otherData\": \(json.text)}\n")
  }

  private mutating func add(
    _ phase: String, _ name: String, _ process: Int64, _ lane: Int, _ time: String?, _ arguments: String
  ) {
    file.write(
      "\(separator){\"name\": \(RunValue(name).json), \"ph\": \"\(phase)\", \"pid\": \(process), \"tid\": \(lane)"
        + (time.map { ", " + $0 } ?? "") + (arguments.isEmpty ? "}" : ", \"args\": {\(arguments)}}"))
    separator = ",\n"
  }

  private static func nanoseconds(_ seconds: Double) -> Int64 { Int64((seconds * 1e9).rounded()) }

  private static func microseconds(_ nanoseconds: Int64) -> String {
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1000)
    guard rest != 0 else { return "\(whole)" }
    let digits = "\(rest)"
    return "\(whole)." + String(repeating: "0", count: 3 - digits.count) + digits
  }
}
