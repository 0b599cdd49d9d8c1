import Serving

extension RecordLog<IterationStrip> {
  /// Strips in a buffer: half a megabyte, as for other records.
  private static var chunk: Int { 900 }

  /// Adds an iteration to the last strip, or begins another.
  ///
  /// The last strip stays in memory until it is complete.
  mutating func append(_ iteration: borrowing IterationRecord, puttingAsideIn spill: SpillFile) {
    let last = latest.count - 1
    if last >= 0, latest[last].append(iteration) { return }
    if latest.count >= Self.chunk { putAside(in: spill) }
    latest.append(IterationStrip(iteration))
  }
}
