import CostModels
import Foundation
import Serving
import Systems

/// A cost model that follows the description: layer by layer, kernel by kernel, tile by tile.
///
/// It keeps no tables and remembers nothing. Of the code that it is compared with it uses the descriptions of engine
/// and GPU, and the expectation of distinct experts.
struct NaiveCostModel {
  let model: ToyModel
  let gpus: Int
  let expertRanks: Int
  let engine: EngineDescription
  let hardware: HardwareDescription
  let calibration: ToyCalibration
  let routing: ExpertRouting?
  /// Ranks that share the experts, each with sequences of its own.
  var dataParallel = 1
  /// Seconds and seconds a byte of each way to the experts of other ranks, and back.
  var dispatch: [(Double, Double)] = []
  var combine: [(Double, Double)] = []
  /// What makes drafts; `nil` where nothing does.
  var drafter: NaiveDrafter?
  /// Whether these are the layers of drafts: the LM head runs on one row of each sequence.
  var samplesOneRow = false
  /// Whether windows cut the contexts of all sequences together, as drafts have it, and not each.
  var cutsTogether = false
  /// How prompts thin out, or which keys they see; `nil` where they do not.
  var profile: TokenProfile?

  var shard: NaiveShard {
    NaiveShard(model, gpus: gpus, expertRanks: expertRanks, dataParallel: dataParallel)
  }

  /// One launch on one GPU.
  struct Launch {
    var kernel: String
    var seconds = 0.0
    var flops = 0.0
    var weightBytes = 0.0
    var kvBytes = 0.0
    var activationBytes = 0.0
    var isExtrapolated = false
    /// The part of the time that arithmetic takes.
    var clockedSeconds = 0.0
    /// Operations in eight bits.
    var narrowFLOPs = 0.0
    /// Bytes that are dequantised.
    var mxfp4Bytes = 0.0
    /// Whether another kernel does it as its last part: it is no call.
    var isAppended = false
    var bytes: Double { weightBytes + kvBytes + activationBytes }
  }

  /// What an iteration costs and what each kernel uses in it.
  struct Answer {
    var cost = StepCost()
    var uses: [String: KernelUse] = [:]
  }

  /// Prices an iteration.
  func price(_ step: Step) -> Answer {
    var answer = working(step)
    if let drafter { drafter.add(to: &answer, after: step, layers: model.layers) }
    let joules = hardware.energy.idleWatts * answer.cost.seconds * Double(gpus)
    let decodes = Double(step.contexts.count * step.width)
    let rows = decodes + Double(step.tiles.reduce(0) { $0 + $1.tokens })
    answer.cost.decodeRowJoules += joules * decodes / rows
    answer.cost.prefillRowJoules += joules * (rows - decodes) / rows
    return answer
  }

  /// Prices an iteration without what the GPUs draw all the while.
  func working(_ step: Step) -> Answer {
    var answer = Answer()
    var issue = 0.0
    let decodes = step.contexts.count * step.width
    var pieces = NaivePieces()
    for layer in 0..<model.layers {
      if let band = step.drop(at: layer) {
        drop(at: layer, band, of: step, issue: &issue, &pieces, &answer)
        continue
      }
      let segments = step.segments(layer)
      let prefillRows = segments.reduce(0) { $0 + $1.tokens }
      let rows = decodes + prefillRows
      guard rows > 0 else { continue }
      let (computed, isInGraph) = padded(rows, prefill: prefillRows > 0)
      issue += issueSeconds(layer, isInGraph: isInGraph)
      let decodeShare = Double(decodes) / Double(rows)

      for launch in rowLaunches(layer, rows: rows, computed: computed, isInGraph: isInGraph) {
        let joules = add(launch, to: &answer)
        answer.cost.decodeRowJoules += joules * decodeShare
        answer.cost.prefillRowJoules += joules * (1 - decodeShare)
      }
      addMixing(layer, segments, of: step, to: &answer)
      addExperts(layer, segments, decodes: decodes, computed: computed, to: &answer)
    }
    let layers = answer.cost.kernelSeconds
    finish(step, issue: issue, &answer)
    // The embedding comes before the first layer, the head behind the last.
    let repeats = engine.repeatsEmbeddingAndHead
    let entering = step.tiles.filter { repeats || $0.layers.lowerBound == 0 }.reduce(0) { $0 + $1.tokens }
    let before = launchesBefore(rows: decodes + entering).reduce(0) { $0 + $1.seconds }
    let sequences = Double(step.contexts.count + step.tiles.count)
    let microseconds =
      engine.host.exposedPerIterationMicroseconds + engine.host.exposedPerSequenceMicroseconds * sequences
    answer.cost.exposedSeconds =
      microseconds * 1e-6
      + pieces.exposed(
        before: before, behind: answer.cost.kernelSeconds - layers - before, issue: issue, layers: layers,
        wait: profile?.synchronisation ?? 0)
    return answer
  }

  /// Adds a layer's attention or recurrence.
  func addMixing(_ layer: Int, _ segments: [Step.Tile], of step: Step, to answer: inout Answer) {
    guard model.hasMixer(layer) else { return }
    let decodes = step.contexts.count * step.width
    if model.isRecurrent(layer) {
      let decoding =
        model.isStateSpace
        ? stateSpace(decodes: step.contexts.count, width: step.width)
        : recurrence(decodes: step.contexts.count, width: step.width)
      for launch in decoding {
        answer.cost.decodeRowJoules += add(launch, to: &answer)
      }
      for launch in model.isStateSpace ? stateSpace(segments: segments) : recurrence(segments: segments) {
        answer.cost.prefillContextJoules += add(launch, to: &answer)
      }
    } else if !step.contexts.isEmpty {
      let joules = add(
        decodeAttention(
          step.contexts, missing: step.missing(layer), width: step.width,
          isWindowed: model.isWindowed(layer)),
        to: &answer)
      // What an indexer reads grows with the context, whatever is picked.
      if model.isWindowed(layer), !model.hasIndexer {
        answer.cost.decodeRowJoules += joules
      } else {
        answer.cost.decodeContextJoules += joules
      }
    }
    if !segments.isEmpty, !model.isRecurrent(layer) {
      for launch in attention(of: segments, isWindowed: model.isWindowed(layer)) {
        answer.cost.prefillContextJoules += add(launch, to: &answer)
      }
    }
    if model.isLatent {
      for launch in latentProducts(decodes: decodes, segments: []) {
        answer.cost.decodeRowJoules += add(launch, to: &answer)
      }
      for launch in latentProducts(decodes: 0, segments: segments) {
        answer.cost.prefillContextJoules += add(launch, to: &answer)
      }
    }
  }

  /// Adds a layer's experts, if it has any.
  func addExperts(
    _ layer: Int, _ segments: [Step.Tile], decodes: Int, computed: Int, to answer: inout Answer
  ) {
    guard let routing, model.hasExperts(layer) else { return }
    let decodeShare = Double(decodes) / Double(decodes + segments.reduce(0) { $0 + $1.tokens })
    let tokens = segments.map { Int32($0.tokens) }
    let active =
      tokens.isEmpty
      ? routing.distinct(layers: 0..<1, decodes: decodes)
      : routing.distinct(layers: 0..<1, decodes: decodes, prefill: tokens.span)
    let joules = add(
      experts(rows: computed, active: active, carriesPrefill: !segments.isEmpty), to: &answer)
    // An expert is on one rank, and sliced over its GPUs.
    let bytes = active * shard.bytesPerExpert * Double(gpus / expertRanks)
    answer.cost.experts += active
    answer.cost.expertBytes += bytes
    answer.cost.weightBytes -= bytes
    answer.cost.decodeExpertBytes += bytes * decodeShare
    answer.cost.decodeRowJoules += joules * decodeShare
    answer.cost.prefillRowJoules += joules * (1 - decodeShare)
  }

  /// The kernels before and after the layers, and the host.
  func finish(_ step: Step, issue: Double, _ answer: inout Answer) {
    let repeats = engine.repeatsEmbeddingAndHead
    let entering = step.tiles.filter { repeats || $0.layers.lowerBound == 0 }.reduce(0) { $0 + $1.tokens }
    let leaving = repeats ? step.tiles.count : step.tiles.count { $0.finishes }
    let decoded = step.contexts.count * step.width
    let outside =
      launchesBefore(rows: decoded + entering)
      + launchesAfter(rows: (samplesOneRow ? step.contexts.count : decoded) + leaving)
    var joules = 0.0
    for launch in outside { joules += add(launch, to: &answer) }

    let host = engine.host
    var milliseconds = host.perIterationMilliseconds
    if step.tiles.contains(where: { $0.layers != 0..<model.layers }) {
      milliseconds += host.partialDepthMilliseconds
      for tile in step.tiles {
        milliseconds += host.partialDepthTokenMicroseconds * Double(tile.tokens) / 1000
      }
    }
    var microseconds = host.perDecodeSequenceMicroseconds * Double(step.contexts.count)
    microseconds += host.perPrefillSequenceMicroseconds * Double(step.tiles.count)
    for tile in step.tiles where tile.layers.lowerBound == 0 {
      microseconds += host.perPrefillTokenMicroseconds * Double(tile.tokens)
    }
    answer.cost.launchSeconds = issue
    answer.cost.hostSeconds = milliseconds * 1e-3 + microseconds * 1e-6

    let decodes = Double(decoded)
    let rows = decodes + Double(step.tiles.reduce(0) { $0 + $1.tokens })
    answer.cost.decodeRowJoules += joules * decodes / rows
    answer.cost.prefillRowJoules += joules * (rows - decodes) / rows
  }

  /// Adds a launch to the cost and to its kernel's use.
  ///
  /// - Returns: its energy on all GPUs.
  func add(_ launch: Launch, to answer: inout Answer) -> Double {
    var joules = launch.seconds * hardware.energy.busyWatts
    joules += launch.bytes * hardware.energy.perBytePicojoules * 1e-12
    joules += launch.flops * hardware.energy.perFlopPicojoules * 1e-12
    joules -=
      launch.narrowFLOPs * hardware.energy.perFlopPicojoules * 1e-12 * (1 - hardware.energy.narrowFlopShare)
    joules += launch.mxfp4Bytes * hardware.energy.mxfp4Picojoules * 1e-12
    // A launch that lasts drew no more than the board was allowed when it was measured.
    let time = max(launch.seconds, hardware.power.sustainedMilliseconds / 1000)
    joules = min(joules, time * (hardware.power.measuredAtWatts - hardware.energy.idleWatts))
    let seconds = launch.seconds
    let all = Double(gpus)
    answer.cost.kernelSeconds += seconds
    answer.cost.clockedSeconds += launch.clockedSeconds
    if seconds > 0 { answer.cost.clockedJoules += joules * all * launch.clockedSeconds / seconds }
    answer.cost.weightBytes += launch.weightBytes * all
    answer.cost.kvBytes += launch.kvBytes * all
    answer.cost.activationBytes += launch.activationBytes * all
    answer.uses[launch.kernel, default: KernelUse(kernel: launch.kernel)] += KernelUse(
      kernel: launch.kernel, calls: launch.isAppended ? 0 : 1,
      extrapolatedCalls: launch.isExtrapolated ? 1 : 0, seconds: seconds,
      joules: joules * all, flops: launch.flops * all, bytes: launch.bytes * all)
    return joules * all
  }

  /// The smallest captured graph that holds so many rows; beyond the largest one, no graph and no padding.
  ///
  /// Where graphs are of decode alone, rows with prefill among them have none either.
  func padded(_ rows: Int, prefill: Bool) -> (rows: Int, isInGraph: Bool) {
    guard !engine.graphs.sizes.isEmpty else { return (rows, true) }
    if prefill && engine.graphs.decodesOnly { return (rows, false) }
    for size in engine.graphs.sizes where size >= rows { return (size, true) }
    return (rows, false)
  }
}
