import Foundation
import ResultStore
import Support
import TestSupport
import Testing

@testable import Exports

/// A run as a Chrome trace.
struct TimelineTests {
  private let events: [[String: Any]]

  init() throws {
    let folder = try TemporaryFolder()
    let run = try LoggedRun.write(to: folder.file("runs.sqlite"))
    let file = try WholeFile(path: folder.file("timeline.json"))
    try Timeline(reader: ResultReader(path: folder.file("runs.sqlite")), run: run).write(to: file)
    try file.finish()
    events = try folder.object("timeline.json")["traceEvents"] as? [[String: Any]] ?? []
  }

  @Test func iterationsSayWhatTheyDid() {
    let slices = named { $0.hasPrefix("prefill layers") || $0 == "decode" }.filter { $0["tid"] as? Int == 0 }
    #expect(
      slices.map { $0["name"] as? String ?? "" } == [
        "prefill layers 0..<48", "prefill layers 0..<24", "prefill layers 24..<48", "decode",
        "prefill layers 0..<48", "decode",
      ])
    let arguments = slices[1]["args"] as? [String: Any]
    #expect(arguments?["batch_size"] as? Int == 2)
    #expect(arguments?["num_decode_tokens"] as? Int == 1)
  }

  @Test func requestsShareLanesWhenTheyCan() {
    let requests = named { $0.hasPrefix("request ") }
    #expect(requests.map { $0["tid"] as? Int } == [1, 2, 1])
    #expect(requests.map { $0["dur"] as? Double } == [4e6, 4.5e6, 1e6])
    #expect(named { $0 == "rejected request 2" }.first?["ph"] as? String == "i")
  }

  @Test func slicesOfALaneNest() {
    let slices = events.filter { $0["ph"] as? String == "X" }
    for lane in Set(slices.map { $0["tid"] as? Int ?? -1 }) {
      var open: [Double] = []
      let ordered = slices.filter { $0["tid"] as? Int == lane }
        .map { (start: $0["ts"] as? Double ?? .nan, length: $0["dur"] as? Double ?? .nan) }
        .sorted { ($0.start, -$0.length) < ($1.start, -$1.length) }
      for slice in ordered {
        while let end = open.last, end <= slice.start { open.removeLast() }
        #expect(open.last.map { slice.start + slice.length <= $0 } ?? true)
        open.append(slice.start + slice.length)
      }
    }
  }

  @Test func countersChangeAndRest() {
    #expect(counter("queue", "requests") == [[0, 0], [1e6, 1], [2e6, 0]])
    #expect(counter("KV blocks", "used") == [[0, 7], [5e6, 0], [6e6, 7], [8e6, 0]])
    // 70 J in a pause of one second.
    #expect(
      counter("power", "W") == [[0, 500], [2e6, 250], [4e6, 500], [5e6, 70], [6e6, 500], [8e6, 70]])
    #expect(
      counter("expert weights", "GB/s") == [[0, 2], [2e6, 1], [4e6, 2], [5e6, 0], [6e6, 2], [8e6, 0]])
  }

  private func named(_ matches: (String) -> Bool) -> [[String: Any]] {
    events.filter { $0["ph"] as? String != "M" && matches($0["name"] as? String ?? "") }
  }

  private func counter(_ name: String, _ unit: String) -> [[Double]] {
    named { $0 == name }.map { event in
      [event["ts"] as? Double ?? .nan, (event["args"] as? [String: Double])?[unit] ?? .nan]
    }
  }
}
