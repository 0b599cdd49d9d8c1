extension KernelMeasurements {
  /// Reads a table of the project's own profiling harness: all kernels in one file, told apart by `kernel`.
  mutating func read(harness table: KernelTable) throws(CalibrationError) {}
}
