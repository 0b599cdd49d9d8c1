import ArgumentParser
import Serving
import Workloads

/// The traffic.
struct WorkloadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A shipped trace (see 'sim list traces') or a file: a length model (JSON), or a trace of Vidur/Sarathi, Azure, "
        + "Mooncake, BurstGPT or a pre-tokenised ShareGPT, told apart by the header.", valueName: "name|file")
  )
  var trace = "arxiv"

  @Option(help: ArgumentHelp("Mean requests per second; 'inf' sends all at once.", valueName: "req/s"))
  var requestRate: Double?

  @Option(
    help: ArgumentHelp(
      "How requests arrive: \(ArrivalKind.allCases.map(\.rawValue).joined(separator: ", "))."))
  var arrivals: ArrivalKind?

  @Option(help: ArgumentHelp("Shape of gamma gaps between arrivals: 1 is Poisson, less is burstier."))
  var burstiness: Double?

  @Option(help: ArgumentHelp("Factor on the trace's own arrival times; 0.5 doubles the rate."))
  var timeScale: Double?

  @Option(
    help: ArgumentHelp(
      "Number of requests. Default: 600 s of traffic at the rate, or all rows of a trace with its own arrivals."
    ))
  var numPrompts: Int?

  @Option(help: ArgumentHelp("Most requests in the system; further ones are sent as earlier ones complete."))
  var maxConcurrency: Int?

  @Option(
    help: ArgumentHelp(
      "Cut the run after so much simulated time: nothing is sent or begun from then on, and requests that are not "
        + "done count as failing the objective.", valueName: "seconds"))
  var maxDuration: Double?

  @Flag(help: "Put the rows of a trace file in random order.")
  var shuffle = false

  @Option(help: "Seed of arrivals, lengths and routing; every policy sees the same traffic.")
  var seed: UInt64 = 0

  /// Checks the options, and makes the workload; `read` reads a trace's file, which a sweep does once.
  func load(
    from folder: String, reading read: (String) throws(WorkloadError) -> TraceFile = TraceFile.read
  ) throws -> Workload {
    if let limit = maxDuration, !(limit > 0) {
      throw CommandLineError.badValue(
        option: "--max-duration", value: "\(limit)", expected: "more than 0 seconds")
    }
    if let limit = maxConcurrency, limit < 1 {
      throw CommandLineError.badValue(option: "--max-concurrency", value: "\(limit)", expected: "at least 1")
    }
    var specification = WorkloadSpecification(trace: trace, seed: seed)
    specification.arrivals = arrivals
    specification.requestRate = requestRate
    specification.burstiness = burstiness
    specification.timeScale = timeScale
    specification.numPrompts = numPrompts
    specification.shuffle = shuffle
    return try specification.load(tracesDirectory: folder, reading: read)
  }
}

extension ArrivalKind: ExpressibleByArgument {}
