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
  var trace = Self.usualTrace

  private static let usualTrace = "arxiv"

  @Option(
    help: ArgumentHelp(
      "What the traffic is, in vLLM's words: random (with --input-len and --output-len, 1024 and 128 if left out), sharegpt "
        + "(the shipped trace, or --trace FILE), or custom, burstgpt, azure, mooncake (with --trace FILE).",
      valueName: "name"))
  var datasetName: DatasetName?

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
      "Tokens of an image, of which each prompt has one, or as many as its trace says (NumImages); one token at least is text.",
      valueName: "tokens"))
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

  @Option(
    help: ArgumentHelp(
      "Let the rate rise over the run, from --ramp-up-start-rps to --ramp-up-end-rps: linear or exponential.")
  )
  var rampUpStrategy: RampStrategy?

  @Option(help: ArgumentHelp("The first rate of a ramp.", valueName: "req/s"))
  var rampUpStartRps: Double?

  @Option(help: ArgumentHelp("The last rate of a ramp.", valueName: "req/s"))
  var rampUpEndRps: Double?

  @Option(
    help: ArgumentHelp(
      "The rate in bursts over that between them, with --arrivals bursts. Default: 10.", valueName: "ratio"))
  var burstRatio: Double?

  @Option(help: ArgumentHelp("Share of the time that is burst. Default: 0.1.", valueName: "0...1"))
  var burstShare: Double?

  @Option(help: ArgumentHelp("Mean length of a burst. Default: 30.", valueName: "seconds"))
  var burstLength: Double?

  @Option(
    help: ArgumentHelp(
      "How far the rate swings around its mean in a day, with --arrivals daily: least at the start, which is midnight, most "
        + "at noon. Default: 0.6.", valueName: "0...1"))
  var dailySwing: Double?

  @Option(
    help: ArgumentHelp(
      "Requests of the sixth and seventh day over those of the others. Default: 1.", valueName: "share"))
  var weekendShare: Double?

  @Option(
    help: ArgumentHelp(
      "Seconds of a day; a short one plays a day in minutes. Default: 86400.", valueName: "seconds"))
  var dayLength: Double?

  @Option(help: ArgumentHelp("Factor on the trace's own arrival times; 0.5 doubles the rate."))
  var timeScale: Double?

  @Option(
    name: .customLong("request-class"),
    help: ArgumentHelp(
      "A class of requests, as in chat[share=0.7,ttft=1s,tbt=50ms,priority=1]; once for each class of a mix. Its limits take the "
        + "place of --slo; priority counts with --scheduling-policy priority.", valueName: "name[...]"))
  var classes: [String] = []

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

  @Option(
    help: ArgumentHelp(
      "Leave out what comes before this simulated time, such as a warm-up: requests count by their arrival, iterations and gaps "
        + "by their end. Kernels, instances, numbers of requests in the system and logs are of the whole run.",
      valueName: "seconds"))
  var measureFrom: Double?

  @Option(help: ArgumentHelp("Leave out what comes from this simulated time on.", valueName: "seconds"))
  var measureUntil: Double?

  @Flag(help: "Put the rows of a trace file in random order.")
  var shuffle = false

  @Option(help: "Seed of arrivals, lengths and routing; every policy sees the same traffic.")
  var seed: UInt64 = 0

  /// The requests that the options describe.
  func specification() throws -> WorkloadSpecification {
    let isNamedRandom = datasetName == .random
    if isNamedRandom, trace != Self.usualTrace {
      throw CommandLineError.contradiction("--dataset-name random: takes no --trace; leave one of both out")
    }
    let isRandom = isNamedRandom || inputLen != nil || outputLen != nil || rangeRatio != nil
    var workload = WorkloadSpecification(
      trace: isRandom ? "random" : try namedTrace(), arrivals: arrivals, requestRate: requestRate,
      burstiness: burstiness,
      timeScale: timeScale, numPrompts: numPrompts, shuffle: shuffle, seed: seed)
    workload.rampUp = rampUpStrategy
    workload.rampUpStart = rampUpStartRps
    workload.rampUpEnd = rampUpEndRps
    workload.setBursts(ratio: burstRatio, share: burstShare, length: burstLength)
    workload.setDays(swing: dailySwing, weekend: weekendShare, length: dayLength)
    workload.classes = try classes.map { try RequestClass(parsing: $0) }
    workload.timeUnit = timeUnit
    workload.traceStart = traceStart
    workload.traceEnd = traceEnd
    workload.inputLength = inputLen ?? (isNamedRandom ? 1024 : nil)
    workload.outputLength = outputLen ?? (isNamedRandom ? 128 : nil)
    workload.rangeRatio = rangeRatio
    workload.imageTokens = imageTokens
    return workload
  }

  /// The trace, or the one that is meant by the name of a data set.
  private func namedTrace() throws(CommandLineError) -> String {
    guard let datasetName, trace == Self.usualTrace else { return trace }
    guard datasetName != .sharegpt else { return datasetName.rawValue }
    throw .contradiction("--dataset-name \(datasetName.rawValue): give its file with --trace FILE")
  }

  /// The clients, and when the run is cut.
  var limits: RunLimits {
    var limits = RunLimits(maxConcurrency: maxConcurrency, maxDuration: maxDuration)
    limits.measureFrom = measureFrom
    limits.measureUntil = measureUntil
    return limits
  }
}

/// What `--dataset-name` takes of vLLM's names: those whose files are read.
enum DatasetName: String, ExpressibleByArgument, CaseIterable {
  case random, sharegpt, custom, burstgpt, azure, mooncake
}

extension ArrivalKind: ExpressibleByArgument {}
extension RampStrategy: ExpressibleByArgument {}
extension TimeUnit: ExpressibleByArgument {}
