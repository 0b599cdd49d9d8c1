import Support

/// The column of a table of lengths that holds arrivals, by its name.
struct TimeColumn {
  /// Its place, from 0.
  let column: Int
  let unit: TimeUnit
  /// Whether its name says the unit.
  let hasUnit: Bool

  /// Names of arrivals without their unit, the surest first.
  private static let names = [
    "arrived_at", "arrival_time", "arrival", "arrivals", "arrival_timestamp", "arrived", "timestamp", "time",
    "ts",
    "request_time", "request_timestamp", "start_time", "start_timestamp", "send_time", "sent_at",
    "created_at",
    "submitted_at", "datetime", "date",
  ]
  /// Endings that say a unit.
  private static let units: [(String, TimeUnit)] = [
    ("_ms", .milliseconds), ("_msec", .milliseconds), ("_milliseconds", .milliseconds),
    ("_us", .microseconds),
    ("_microseconds", .microseconds), ("_ns", .nanoseconds), ("_nanoseconds", .nanoseconds), ("_s", .seconds),
    ("_sec", .seconds), ("_secs", .seconds), ("_seconds", .seconds),
  ]

  /// Finds the column of arrivals in a header.
  ///
  /// - Returns: the column; `nil` if none can be one.
  /// - Throws: if a column seems to hold arrivals, but it is not known how.
  static func find(in header: [String], file: String) throws(WorkloadError) -> TimeColumn? {
    var best: (rank: Int, column: TimeColumn)?
    for (place, title) in header.enumerated() {
      let name = title.lowercased().replacing(" ", with: "_").replacing("-", with: "_")
      let ending = units.first { name.hasSuffix($0.0) }
      let plain = ending.map { String(name.dropLast($0.0.count)) } ?? name
      guard let rank = names.firstIndex(of: name) ?? names.firstIndex(of: plain), rank < best?.rank ?? .max
      else {
        continue
      }
      let hasUnit = names.firstIndex(of: name) == nil
      best = (
        rank, TimeColumn(column: place, unit: hasUnit ? ending?.1 ?? .seconds : .seconds, hasUnit: hasUnit)
      )
    }
    if let best { return best.column }
    let suspect = header.first { title in
      let name = title.lowercased()
      return ["arriv", "timestamp", "start_time", "request_time", "datetime"].contains { name.contains($0) }
    }
    guard let suspect else { return nil }
    throw .unsupported(
      file: file, what: "the column '\(suspect.onOneLine())' seems to hold arrivals, but in an unknown way",
      instead: "call it arrived_at (seconds), arrived_at_ms, arrived_at_us or arrived_at_ns, or leave it out")
  }
}
