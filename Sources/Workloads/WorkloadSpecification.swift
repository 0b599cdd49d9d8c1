import Serving
import Statistics

/// A workload as the user asks for it, before any file is read; nil means that nothing was asked for.
public struct WorkloadSpecification: Sendable, Hashable {
  /// The seconds of traffic that a rate yields if no number of requests is given.
  public static let defaultDuration: Seconds = 600
  /// The requests a second that generated arrivals have if no rate is given.
  public static let defaultRequestRate = 1.0

  /// A shipped trace's name or a file's path, `--trace`.
  public var trace: String
  /// How requests arrive, `--arrivals`.
  ///
  /// If nil: as `requestRate` and `burstiness` say if either is given; else as
  /// in the trace if it has arrivals; else Poisson.
  public var arrivals: ArrivalKind?
  /// Mean requests a second, `--request-rate`; infinity means all at once.
  public var requestRate: Double?
  /// The shape of gamma gaps, `--burstiness`; 1 is Poisson.
  public var burstiness: Double?
  /// How the rate rises over the run, `--ramp-up-strategy`, from `rampUpStart` to `rampUpEnd` requests a second.
  public var rampUp: RampStrategy?
  /// The first rate, `--ramp-up-start-rps`.
  public var rampUpStart: Double?
  /// The last rate, `--ramp-up-end-rps`.
  public var rampUpEnd: Double?
  /// What bursts are; `nil` for the usual ones of ``ArrivalKind/bursts``.
  public var bursts: Bursts?
  /// What days are; `nil` for the usual ones of ``ArrivalKind/daily``.
  public var days: Days?
  /// The classes that requests are drawn of, `--request-class`; empty where all are alike.
  public var classes: [RequestClass] = []
  /// What the trace's own arrivals are multiplied by, `--time-scale`; 1 if nil.
  public var timeScale: Double?
  /// How many requests there are, `--num-prompts`.
  ///
  /// If nil: `defaultDuration` of traffic at the rate, rounded down but at
  /// least 1; or all rows of a trace that is played with its own arrivals or all at once.
  public var numPrompts: Int?
  /// Whether a trace's rows are put in random order, `--shuffle`; a length model is random anyway.
  public var shuffle: Bool
  /// The seed of all streams, `--seed`.
  public var seed: UInt64
  /// The unit of a trace's moments, `--time-unit`, where its format does not say it or says another one.
  public var timeUnit: TimeUnit?
  /// The first row that is played, `--trace-start`: a number of rows to pass over, or a time such as `120s`.
  public var traceStart: String?
  /// The first row that is no longer played, `--trace-end`, likewise.
  public var traceEnd: String?
  /// The longest prompt and output of requests of random lengths, which take the place of a trace.
  public var inputLength: Tokens?
  /// The longest output, `--output-len`.
  public var outputLength: Tokens?
  /// The shortest of these lengths as a share of the longest; 1 if nil, which makes all lengths the same.
  public var rangeRatio: Double?
  /// Tokens of each image, `--image-tokens`, of which each prompt has one unless its trace says how many; one token at least of
  /// each prompt is text.
  public var imageTokens: Tokens?

  /// Whether requests without a rate or times of their own are all ready at once.
  private(set) var areReady = false

  /// Creates a specification.
  public init(
    trace: String, arrivals: ArrivalKind? = nil, requestRate: Double? = nil, burstiness: Double? = nil,
    timeScale: Double? = nil, numPrompts: Int? = nil, shuffle: Bool = false, seed: UInt64 = 0
  ) {
    self.trace = trace
    self.arrivals = arrivals
    self.requestRate = requestRate
    self.burstiness = burstiness
    self.timeScale = timeScale
    self.numPrompts = numPrompts
    self.shuffle = shuffle
    self.seed = seed
  }

  /// The same requests as a number of clients sends them, each its next one when the last is done: all are ready at once
  /// where neither a rate nor a way to arrive is given, as in vLLM's benchmark.
  public func sentByClients() -> WorkloadSpecification {
    guard requestRate == nil, arrivals == nil, burstiness == nil, timeScale == nil else { return self }
    var workload = self
    workload.areReady = true
    return workload
  }

  /// Checks the options, reads the trace, and makes the workload.
  ///
  /// - Parameters:
  ///   - tracesDirectory: the folder of the traces that ship with the project.
  ///   - read: reads the trace at a path; a caller that makes several workloads of a trace can read it once.
  /// - Returns: the workload.
  /// - Throws: a `WorkloadError` that names the option, or the file, line and field, and what would be right.
  /// - Complexity: O(*n*) in the size of the file; requests are only made when asked for.
  public func load(
    tracesDirectory: String,
    reading read: (String, TimeUnit?) throws(WorkloadError) -> TraceFile = TraceFile.read(_:timeUnit:)
  ) throws(WorkloadError) -> Workload {
    try checkValues()
    try RequestClass.check(classes)
    var workload = try loadPlain(tracesDirectory: tracesDirectory, reading: read)
    workload.imageTokens = imageTokens ?? 0
    workload.classes = classes
    return workload
  }

  /// The workload without images and classes.
  private func loadPlain(
    tracesDirectory: String, reading read: (String, TimeUnit?) throws(WorkloadError) -> TraceFile
  ) throws(WorkloadError) -> Workload {
    if inputLength != nil || outputLength != nil || rangeRatio != nil { return try randomLengths() }
    let path = try TraceCatalog(directory: tracesDirectory).path(of: trace)
    var source = try slice(of: read(path, timeUnit))
    let process = try arrivalProcess(for: source)
    let count = try count(of: source, process)
    if shuffle, case .trace(let list) = source {
      guard process.kind != .trace else {
        throw .contradiction(
          "--shuffle: a trace played with its own arrivals has its own order; choose one of both")
      }
      source = .trace(list.inOrder(of: shuffledIndices(list.rows.count)))
    }
    return Workload(name: name(of: path), source: source, arrivals: process, count: count, seed: seed)
  }

  /// Checks each value by itself.
  private func checkValues() throws(WorkloadError) {
    if let rate = requestRate, rate != .infinity, !(1e-6...1e6 ~= rate) {
      throw .invalidOption(
        "--request-rate", value: "\(rate)", expected: "from 1e-6 to 1e6 requests a second, or inf")
    }
    if let shape = burstiness, !(1e-3...1e6 ~= shape) {
      throw .invalidOption("--burstiness", value: "\(shape)", expected: "from 0.001 to 1e6; 1 is Poisson")
    }
    if let scale = timeScale, !(1e-6...1e6 ~= scale) {
      throw .invalidOption(
        "--time-scale", value: "\(scale)", expected: "from 1e-6 to 1e6; 0.5 doubles the rate")
    }
    if let images = imageTokens, !(0...1 << 24 ~= images) {
      throw .invalidOption("--image-tokens", value: "\(images)", expected: "from 0 to \(1 << 24) tokens")
    }
    if let count = numPrompts, !(1...1_000_000_000 ~= count) {
      throw .invalidOption("--num-prompts", value: "\(count)", expected: "from 1 to 1e9")
    }
  }

  /// The rows of a trace in random order, each order as likely as any other (Fisher and Yates).
  private func shuffledIndices(_ count: Int) -> [Int] {
    var random = SplitMix64(seed: seed, purpose: "shuffle")
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, Int(random.next().multipliedFullWidth(by: UInt64(last + 1)).high))
    }
    return order
  }

  /// The file's name without folder and extension.
  private func name(of path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    guard let dot = file.lastIndex(of: "."), dot > file.startIndex else { return file }
    return String(file[..<dot])
  }
}
