import Serving

/// A list of requests read from a file.
public struct Trace: Sendable {
  /// The file's name without folder and extension.
  public let name: String
  /// The format that the file was recognised as.
  public let format: TraceFormat
  /// The requests, at least one: in order of arrival if they have arrivals, else as in the file.
  public private(set) var rows: [TraceRow]
  /// Whether the rows say when they arrive; if so, the first one does at 0.
  public let hasArrivals: Bool
  /// Rows of the file that were left out because they are failed requests, without prompt or output tokens.
  public let failures: Int
  /// Rows of the file that arrived earlier than the row before them.
  ///
  /// Rows are sorted by arrival, those of the
  /// same moment as they stand in the file.
  public let reordered: Int
  /// Whether moments that were taken for milliseconds have fractions, as seconds would have.
  var hasFractionsOfMilliseconds = false
  /// SHA-256 of the file.
  public let digest: String
  /// Which blocks each row's prompt is made of, if the trace says so; one entry a row.
  public private(set) var prefixBlocks: PrefixBlocks?

  init(
    name: String, format: TraceFormat, rows: [TraceRow], hasArrivals: Bool, failures: Int = 0,
    reordered: Int = 0, digest: String, prefixBlocks: PrefixBlocks? = nil
  ) {
    self.name = name
    self.format = format
    self.rows = rows
    self.hasArrivals = hasArrivals
    self.failures = failures
    self.reordered = reordered
    self.digest = digest
    self.prefixBlocks = prefixBlocks
  }

  /// Reads a trace from text that is in memory, as `TraceFile.read(_:)` reads one from a file.
  public init(parsing text: String, file: String) throws(WorkloadError) {
    guard case .trace(let trace) = try TraceFile.parse(Array(text.utf8), file: file) else {
      throw .unsupported(
        file: file, what: "it is a length model", instead: "a list of requests is needed here")
    }
    self = trace
  }

  /// The time between the first and the last arrival; 0 for a trace without arrivals.
  public var span: Seconds { hasArrivals ? rows[rows.count - 1].arrival : 0 }

  /// What is odd about the file, in a line each.
  public var warnings: [String] {
    var warnings: [String] = []
    if failures > 0 {
      warnings.append("\(name): \(failures) rows without prompt or output tokens are left out")
    }
    let rate = span > 0 ? Double(rows.count - 1) / span : 0
    if hasFractionsOfMilliseconds || (format == .mooncake && rows.count > 20 && rate > 5000) {
      warnings.append(
        "\(name): moments are taken for milliseconds, which makes \(Int(rate)) requests a second; if they are seconds, "
          + "give --time-unit s")
    }
    return warnings
  }

  /// A part of the trace, its first arrival at 0, as if the same rows had been cut out of the file.
  ///
  /// - Parameter range: of rows; at least one.
  /// - Returns: the part.
  func slice(_ range: Range<Int>) -> Trace {
    var result = inOrder(of: Array(range))
    if hasArrivals, let start = result.rows.first?.arrival {
      // In whole microseconds, as the rows of a file are.
      for index in result.rows.indices {
        result.rows[index].arrival = ((result.rows[index].arrival - start) * 1e6).rounded() / 1e6
      }
    }
    return result
  }

  /// The same trace with its rows, arrivals included, in another order.
  func inOrder(of order: [Int]) -> Trace {
    var result = self
    result.rows = order.map { rows[$0] }
    result.prefixBlocks = prefixBlocks?.reordered(by: order)
    return result
  }

  /// Turns microseconds since any moment into seconds since the first arrival.
  mutating func startAtZero() {
    let start = rows[0].arrival
    for index in rows.indices { rows[index].arrival = (rows[index].arrival - start) / 1e6 }
  }
}
