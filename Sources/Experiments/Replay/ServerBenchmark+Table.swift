import Serving
import Support

/// LLMServingSim's table of requests, whose times are whole nanoseconds.
extension ServerBenchmark {
  static func simulated(_ table: CSVReader) throws(ServerBenchmarkError) -> Content {
    do throws(CSVError) {
      return try read(table)
    } catch {
      throw .csv(error)
    }
  }

  private static func read(_ table: CSVReader) throws(CSVError) -> Content {
    var table = table
    let (input, output) = (try table.column("input"), try table.column("output"))
    let (arrival, latency) = (try table.column("arrival"), try table.column("latency"))
    let (first, gaps, model) = (
      try table.column("TTFT"), table.firstColumn("ITL"), table.firstColumn("model")
    )
    var content = Content(tool: .llmServingSim)
    let times = 0...1e18
    while try table.next() {
      let tokens = try table.integer(output, in: 0...Int(Int32.max))
      guard tokens > 0 else {
        content.failures += 1
        continue
      }
      content.model = content.model ?? model.map { table.text($0) }
      var list: [Seconds] = []
      if let gaps {
        let text = table.text(gaps).trimming { $0 == "[" || $0 == "]" || $0 == " " }
        for word in text.split(separator: ",") {
          guard let gap = Double(word.trimming { $0 == " " }), times.contains(gap) else {
            throw table.invalid(gaps, expected: "a list of nanoseconds")
          }
          list.append(gap * 1e-9)
        }
      }
      content.requests.append(
        ServerRequest(
          start: try table.number(arrival, in: times) * 1e-9,
          promptTokens: Int32(try table.integer(input, in: 1...Int(Int32.max))), outputTokens: Int32(tokens),
          firstToken: try table.number(first, in: times) * 1e-9, gaps: list,
          endToEnd: try table.number(latency, in: times) * 1e-9))
    }
    return content
  }
}

extension StringProtocol {
  /// What is left without characters of a kind at both ends.
  fileprivate func trimming(_ isOut: (Character) -> Bool) -> SubSequence {
    let start = firstIndex { !isOut($0) } ?? endIndex
    let end = lastIndex { !isOut($0) }.map { index(after: $0) } ?? start
    return self[start..<end]
  }
}
