import CostModels
import ResultStore
import Serving
import Statistics
import Systems

extension RunFigure {
  /// Simulated time from the first arrival to the end of the last iteration.
  public static let duration = RunFigure("duration", "s", "simulated time from the first arrival to the end")
  {
    RunValue($0.metrics.duration)
  }
  /// Requests served.
  public static let completed = RunFigure("completed", "", "requests served") {
    RunValue($0.metrics.completed)
  }
  /// Requests rejected or unfinished.
  public static let failed = RunFigure("failed", "", "requests rejected or unfinished") {
    RunValue($0.metrics.rejected + $0.metrics.unfinished)
  }
  /// Requests sent but not served when the run was cut.
  public static let unfinished = RunFigure(
    "unfinished", "", "requests sent but not served when the run was cut"
  ) {
    RunValue($0.metrics.unfinished)
  }
  /// Prompt tokens of the requests served.
  public static let totalInputTokens = RunFigure(
    "total_input_tokens", "tokens", "prompt tokens of the requests served"
  ) {
    RunValue($0.metrics.inputTokens)
  }
  /// Output tokens of the requests served.
  public static let totalOutputTokens = RunFigure(
    "total_output_tokens", "tokens", "output tokens of the requests served"
  ) {
    RunValue($0.metrics.outputTokens)
  }
  /// Requests served a second.
  public static let requestThroughput = RunFigure("request_throughput", "req/s", "requests served a second") {
    $0.ofRequests(Double($0.metrics.completed) / $0.divisor)
  }
  /// Requests that meet the objective, a second.
  public static let requestGoodput = RunFigure(
    "request_goodput", "req/s", "requests that meet the objective, a second"
  ) {
    $0.ofRequests(Double($0.metrics.good) / $0.divisor)
  }
  /// Output tokens a second.
  public static let outputThroughput = RunFigure("output_throughput", "tok/s", "output tokens a second") {
    $0.ofRequests(Double($0.metrics.outputTokens) / $0.divisor)
  }
  /// Prompt and output tokens a second.
  public static let totalTokenThroughput = RunFigure(
    "total_token_throughput", "tok/s", "prompt and output tokens a second"
  ) {
    $0.ofRequests(Double($0.tokens) / $0.divisor)
  }
  /// Most output tokens within one second of simulated time.
  public static let maxOutputTokensPerSecond = RunFigure(
    "max_output_tokens_per_s", "tokens", "most output tokens within one second"
  ) {
    RunValue($0.metrics.mostTokensInASecond)
  }
  /// Most requests in the system.
  public static let maxConcurrentRequests = RunFigure(
    "max_concurrent_requests", "", "most requests in the system at a time"
  ) {
    RunValue($0.totals.peakInSystem)
  }

  /// Mean time to first token.
  public static let meanTimeToFirstToken = mean(.ttft)
  /// 99th percentile of the time to first token.
  public static let p99TimeToFirstToken = percentile(99, .ttft)
  /// Mean time per output token after the first.
  public static let meanTimePerOutputToken = mean(.tpot)
  /// Mean latency between tokens.
  public static let meanInterTokenLatency = mean(.itl)
  /// 99th percentile of the latency between tokens.
  public static let p99InterTokenLatency = percentile(99, .itl)
  /// Mean time from arrival to last token.
  public static let meanEndToEnd = mean(.e2el)

  /// Share of requests that meet the whole objective.
  public static let attainment = RunFigure(
    "slo_attainment", "", "share of requests that meet the objective, 0 to 1"
  ) {
    $0.ofRequests($0.metrics.attainment)
  }
  /// Share of requests that meet the limit on the first token.
  public static let attainmentOfFirstToken = RunFigure(
    "slo_attainment_ttft", "", "share that meets the limit on the first token"
  ) {
    $0.ofRequests($0.metrics.attainmentOfFirstToken)
  }
  /// Share of requests that meet the limit on the longest gap between tokens.
  public static let attainmentOfGaps = RunFigure(
    "slo_attainment_tbt", "", "share that meets the limit on the longest gap between tokens"
  ) {
    $0.ofRequests($0.metrics.attainmentOfGaps)
  }
  /// Energy of all GPUs from the first arrival to the end.
  public static let energy = RunFigure(
    "energy_j", "J", "energy of all GPUs, from the first arrival to the end"
  ) {
    RunValue($0.joules)
  }
  /// The part of the energy that was drawn while nothing ran.
  public static let idleEnergy = RunFigure("idle_energy_j", "J", "the part of it drawn while nothing ran") {
    RunValue($0.totals.idleJoules)
  }
  /// Energy for each prompt or output token.
  public static let energyPerToken = RunFigure(
    "energy_per_token_mj", "mJ", "energy for each prompt or output token"
  ) {
    RunValue($0.tokens > 0 ? $0.joules / Double($0.tokens) * 1000 : .nan)
  }
  /// Energy for each output token.
  public static let energyPerOutputToken = RunFigure(
    "energy_per_output_token_mj", "mJ", "energy for each output token"
  ) {
    RunValue($0.metrics.outputTokens > 0 ? $0.joules / Double($0.metrics.outputTokens) * 1000 : .nan)
  }
  /// The worst quality among the coefficients that energy rests on, a word.
  public static let energyQuality = RunFigure(
    "energy_quality", "", "the worst quality among the coefficients of energy"
  ) {
    RunValue($0.energyQuality.rawValue)
  }
  /// Expert weights read.
  public static let expertBytes = RunFigure("expert_bytes", "bytes", "expert weights read") {
    RunValue($0.metrics.expertBytes)
  }
  /// Expert weights read for each request served.
  public static let expertBytesPerRequest = RunFigure(
    "expert_bytes_per_request", "bytes", "expert weights read for each request served"
  ) {
    $0.ofRequests($0.metrics.expertBytes / Double(max($0.metrics.completed, 1)))
  }
  /// Iterations run.
  public static let iterations = RunFigure("iterations", "", "iterations run") {
    RunValue($0.metrics.iterations)
  }
  /// Mean length of an iteration.
  public static let meanIteration = RunFigure("mean_iteration_ms", "ms", "mean length of an iteration") {
    RunValue($0.metrics.meanIteration * 1000)
  }
  /// Mean number of sequences that decode, over iterations with any.
  public static let meanDecodeBatch = RunFigure(
    "mean_decode_batch", "", "mean number of sequences that decode, over iterations with any"
  ) {
    RunValue($0.metrics.meanDecodeBatch)
  }
  /// Mean number of requests in the system, as each arrives.
  public static let meanInSystem = RunFigure(
    "mean_in_system", "", "mean number of requests in the system, as each arrives"
  ) {
    RunValue($0.totals.meanInSystem)
  }
  /// Number of times that a request lost its KV memory.
  public static let preemptions = RunFigure(
    "preemptions", "", "number of times that a request lost its KV memory"
  ) {
    RunValue($0.metrics.preemptions)
  }
  /// Share of the prompt tokens that was found in a prefix cache; runs without one do not have it.
  public static let prefixHitRate = RunFigure(
    "prefix_hit_rate", "", "share of the prompt tokens found in a prefix cache, 0 to 1", isColumn: false
  ) {
    RunValue($0.metrics.prefixHitRate)
  }
  /// Share of the time of a pipeline's stages in which they waited; runs without one do not have it.
  public static let pipelineBubble = RunFigure(
    "pipeline_bubble", "", "share of a pipeline's stage time that is idle while a step is in flight, 0 to 1",
    isColumn: false
  ) {
    $0.totals.pipeline.map { RunValue($0.bubble) } ?? .null
  }
  /// Requests turned away because they were too long.
  public static let rejected = RunFigure("rejected", "", "requests turned away because they were too long") {
    RunValue($0.metrics.rejected)
  }
  /// Kernel launches whose shape lies outside what was measured.
  public static let extrapolatedKernelCalls = RunFigure(
    "extrapolated_kernel_calls", "", "kernel launches whose shape lies outside what was measured"
  ) {
    RunValue($0.totals.extrapolatedCalls)
  }
  /// Kernel launches on one GPU.
  public static let kernelCalls = RunFigure("kernel_calls", "", "kernel launches on one GPU") {
    RunValue($0.totals.kernelCalls)
  }
  /// Blocks of KV memory of an instance.
  public static let kvBlocks = RunFigure("kv_blocks", "", "blocks of KV memory of an instance") {
    RunValue($0.kvBlocks)
  }
  /// Real time that the simulation took.
  public static let wall = RunFigure("wall_s", "s", "real time that the simulation took") {
    RunValue($0.wall)
  }

  /// The figures before the latencies.
  static let counts = [
    duration, completed, failed, unfinished, totalInputTokens, totalOutputTokens, requestThroughput,
    requestGoodput, outputThroughput, totalTokenThroughput, maxOutputTokensPerSecond, maxConcurrentRequests,
  ]

  /// The figures after them.
  static let rest = [
    attainment, attainmentOfFirstToken, attainmentOfGaps, energy, idleEnergy, energyPerToken,
    energyPerOutputToken, energyQuality, expertBytes, expertBytesPerRequest, iterations, meanIteration,
    meanDecodeBatch, meanInSystem, preemptions, rejected, extrapolatedKernelCalls, kernelCalls, kvBlocks,
    wall,
  ]
}

extension RunSummary {
  /// Prompt and output tokens of the requests served.
  fileprivate var tokens: Int { metrics.inputTokens + metrics.outputTokens }
  /// A share or a rate of requests; null where there are none, as in a part of a run in which none arrives.
  fileprivate func ofRequests(_ value: Double) -> RunValue { metrics.requests > 0 ? RunValue(value) : .null }
  /// What rates are a quotient by; infinite for a run without an iteration.
  fileprivate var divisor: Seconds { metrics.duration > 0 ? metrics.duration : .infinity }
}
