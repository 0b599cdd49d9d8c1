import Foundation

/// How many threads work at a time.
enum WorkerCount {
  /// What `--jobs` asks for, or one for each core.
  ///
  /// - Throws: if it is below 1, or more than anybody has cores.
  static func checked(_ jobs: Int?) throws(CommandLineError) -> Int {
    let count = jobs ?? ProcessInfo.processInfo.activeProcessorCount
    guard (1...1024).contains(count) else {
      throw .badValue(option: "--jobs", value: "\(count)", expected: "1 to 1024")
    }
    return count
  }
}
