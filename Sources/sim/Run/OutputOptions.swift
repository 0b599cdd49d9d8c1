import ArgumentParser
import ResultStore

/// Options for the results of a run.
struct OutputOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The SQLite database to append the run to, or $SIM_DB.", valueName: "file"))
  var db = RunWriter.defaultPath

  @Flag(name: .customLong("no-db"), help: "Log nothing.")
  var noDatabase = false

  @Option(help: ArgumentHelp("What to log: requests, iterations or kernels.", valueName: "level"))
  var log = LogLevel.iterations

  @Flag(help: "Print one JSON object instead of the report.")
  var json = false

  @Option(help: ArgumentHelp("Percentiles of latencies to report, beside the median.", valueName: "list"))
  var metricPercentiles = "99"

  @Option(
    help: ArgumentHelp(
      "Draw so many iterations of a loaded stretch: rows are groups of layers.", valueName: "iterations"))
  var draw: Int?

  @Option(
    defaultAsFlag: 64,
    help: ArgumentHelp(
      "Run again with what the cost model is unsure of drawn this often, and print 90 % intervals.",
      valueName: "draws"))
  var uncertainty: Int?

  @Option(
    help: ArgumentHelp(
      "Write what each request does in each iteration: step, request, tokens, computed_before.",
      valueName: "file"))
  var stepsCsv: String?

  /// The percentiles; valid once `validateValues()` has passed.
  var percentiles: [Double] {
    var seen: Set<Double> = [50]
    return allPercentiles.filter { seen.insert($0).inserted }
  }

  private var allPercentiles: [Double] { metricPercentiles.split(separator: ",").compactMap { Double($0) } }

  func validateValues() throws(CommandLineError) {
    let parts = metricPercentiles.split(separator: ",", omittingEmptySubsequences: false)
    guard allPercentiles.count == parts.count, percentiles.allSatisfy({ (0...100).contains($0) }) else {
      throw .badValue(
        option: "--metric-percentiles", value: metricPercentiles,
        expected: "numbers from 0 to 100, as in 50,90,99")
    }
    if let draw, !(1...1000).contains(draw) {
      throw .badValue(option: "--draw", value: "\(draw)", expected: "1 to 1000 iterations")
    }
    // The parser takes a negative number for an option, and this one for a flag.
    if CommandLine.arguments.contains(where: { $0.hasPrefix("--uncertainty=-") }) {
      throw .badValue(option: "--uncertainty", value: "below 0", expected: "64 to 10000 draws")
    }
    if let uncertainty, !(64...10_000).contains(uncertainty) {
      throw .badValue(
        option: "--uncertainty", value: "\(uncertainty)",
        expected: "64 to 10000 draws: fewer say little of the tails")
    }
  }

  func makeWriter() throws(ResultStoreError) -> RunWriter? {
    noDatabase ? nil : try RunWriter(path: db, logLevel: log)
  }
}

extension LogLevel: ExpressibleByArgument {}
