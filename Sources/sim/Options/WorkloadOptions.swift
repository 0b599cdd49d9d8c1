import ArgumentParser
import Experiments
import Workloads

/// The traffic.
struct WorkloadOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("dataset-path")],
    help: ArgumentHelp(
      "A shipped trace (see 'sim list traces') or a file: a length model (JSON), or a trace of Vidur/Sarathi, Azure, "
        + "Mooncake, BurstGPT or a pre-tokenised ShareGPT, told apart by the header.", valueName: "name|file")
  )
  var trace = "arxiv"

  @Option(
    name: [.long, .customLong("random-input-len")],
    help: ArgumentHelp(
      "Longest prompt of requests of random lengths, instead of a trace; with --output-len.",
      valueName: "tokens"))
  var inputLen: Int?

  @Option(
    name: [.long, .customLong("random-output-len")],
    help: ArgumentHelp("Longest output of requests of random lengths.", valueName: "tokens"))
  var outputLen: Int?

  @Option(
    name: [.long, .customLong("random-range-ratio")],
    help: ArgumentHelp(
      "Lengths are uniform from this share of the longest up to it. Default: 1, all the same.",
      valueName: "0...1"))
  var rangeRatio: Double?

  @Option(
    help: ArgumentHelp(
      "Tokens of each prompt that stand for images; at least one is text.", valueName: "tokens"))
  var imageTokens: Int?

  @Option(
    help: ArgumentHelp(
      "Unit of a trace's moments: \(TimeUnit.allCases.map(\.rawValue).joined(separator: ", ")). Default: the format's."
    ))
  var timeUnit: TimeUnit?

  @Option(
    help: ArgumentHelp(
      "Begin at this row of a trace, from 0, or at this time, as in 120s.", valueName: "rows|time"))
  var traceStart: String?

  @Option(help: ArgumentHelp("End before this row of a trace, or this time.", valueName: "rows|time"))
  var traceEnd: String?

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

  @Option(
    help: ArgumentHelp(
      "Most requests in the system; further ones are sent as earlier ones complete. Without a rate all are ready at once, as "
        + "in vLLM's benchmark."))
  var maxConcurrency: Int?

  @Option(
    help: ArgumentHelp(
      "Cut the run at this simulated time: nothing is sent or begun from then on, and requests that are not done "
        + "count as failing the objective.", valueName: "seconds"))
  var maxDuration: Double?

  @Flag(help: "Put the rows of a trace file in random order.")
  var shuffle = false

  @Option(help: "Seed of arrivals, lengths and routing; every policy sees the same traffic.")
  var seed: UInt64 = 0

  /// The requests that the options describe.
  var specification: WorkloadSpecification {
    let isRandom = inputLen != nil || outputLen != nil || rangeRatio != nil
    var workload = WorkloadSpecification(
      trace: isRandom ? "random" : trace, arrivals: arrivals, requestRate: requestRate,
      burstiness: burstiness,
      timeScale: timeScale, numPrompts: numPrompts, shuffle: shuffle, seed: seed)
    workload.timeUnit = timeUnit
    workload.traceStart = traceStart
    workload.traceEnd = traceEnd
    workload.inputLength = inputLen
    workload.outputLength = outputLen
    workload.rangeRatio = rangeRatio
    workload.imageTokens = imageTokens
    return workload
  }

  /// The clients, and when the run is cut.
  var limits: RunLimits { RunLimits(maxConcurrency: maxConcurrency, maxDuration: maxDuration) }
}

extension ArrivalKind: ExpressibleByArgument {}
extension TimeUnit: ExpressibleByArgument {}
