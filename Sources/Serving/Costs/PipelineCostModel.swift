/// Prices the steps of a pipeline: a model whose layers are cut into stages, each on GPUs of its own.
///
/// Each stage has a cost model of its layers. A step passes the stages one after the other; between two of them the rows
/// that the next one goes on with are sent from GPU to GPU, in the link's latency and their bytes by its bandwidth. So what a
/// step takes by itself is the sum over the stages and the ways between them. That several steps are in flight, each on another
/// stage, is the instance's business: see ``PipelineClock``.
///
/// The host prepares a step before the first stage; for the others it does so while the stages before them run.
public final class PipelineCostModel: CostModel {
  /// Some of the layers, and what prices them.
  public struct Stage {
    /// Prices the stage's layers, which it numbers from 0.
    public var costModel: any CostModel
    /// Which of the model's layers they are.
    public var layers: Range<Int>
    /// The limit on the power of its GPUs; `nil` where nothing limits it.
    public var power: PowerLimit?

    /// Creates a stage.
    public init(costModel: any CostModel, layers: Range<Int>, power: PowerLimit? = nil) {
      self.costModel = costModel
      self.layers = layers
      self.power = power
    }
  }

  /// The way from a stage to the next one.
  public struct Link: Sendable, Hashable {
    /// What it carries, in bytes a second.
    public var bytesPerSecond: Double
    /// Time from the moment a byte leaves until it is there.
    public var latency: Seconds
    /// Bytes of a row of activations: hidden size times bytes of a number.
    public var bytesPerRow: Double

    /// Creates a link.
    public init(bytesPerSecond: Double, latency: Seconds, bytesPerRow: Double) {
      precondition(bytesPerSecond > 0 && latency >= 0 && bytesPerRow >= 0, "a link carries something")
      self.bytesPerSecond = bytesPerSecond
      self.latency = latency
      self.bytesPerRow = bytesPerRow
    }

    /// One that takes no time.
    public static let immediate = Link(bytesPerSecond: .infinity, latency: 0, bytesPerRow: 0)

    /// How long some rows take.
    public func seconds(rows: Int) -> Seconds {
      rows > 0 ? latency + Double(rows) * bytesPerRow / bytesPerSecond : 0
    }
  }

  /// The stages, from the embedding to the LM head.
  public let stages: [Stage]
  /// The way between two of them.
  public let link: Link
  /// Number of transformer layers of all stages.
  public let layers: Int
  /// Positions that a layer with sliding-window attention sees; `nil` if no layer has one.
  public let slidingWindow: Tokens?
  /// Power that the GPUs of all stages draw while they wait, in watts.
  public let idleWatts: Double

  /// What the step that was priced last costs on each stage.
  var costs: [StepCost]
  /// How long its rows take from each stage to the next; 0 behind the last.
  private(set) var sends: [Seconds]
  /// The part of the load that a stage works on; its arrays are used again.
  private var part = StepLoad()
  /// Bytes that are sent between its stages.
  private var sentBytes = 0.0

  /// Creates the model of two stages or more, whose layers follow one another.
  public init(stages: [Stage], link: Link) {
    precondition(stages.count > 1 && stages[0].layers.lowerBound == 0, "a pipeline has two stages or more")
    precondition(
      zip(stages, stages.dropFirst()).allSatisfy { $0.layers.upperBound == $1.layers.lowerBound },
      "stages follow one another")
    self.stages = stages
    self.link = link
    layers = stages[stages.count - 1].layers.upperBound
    slidingWindow = stages.compactMap(\.costModel.slidingWindow).max()
    idleWatts = stages.reduce(0) { $0 + $1.costModel.idleWatts }
    costs = Array(repeating: StepCost(), count: stages.count)
    sends = Array(repeating: 0, count: stages.count)
  }

  /// Prices a step on each stage, and the ways between them.
  ///
  /// - Complexity: O(stages x what each of their cost models takes).
  public func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
    while ledger.stages.count < stages.count { ledger.stages.append(KernelLedger()) }
    sentBytes = 0
    for s in stages.indices {
      part.take(load, layers: stages[s].layers)
      // Stages draw by themselves.
      part.draw = load.draw &+ UInt64(s) &<< 40
      costs[s] = StepCost()
      ledger.stages[s].logsSteps = ledger.logsSteps
      if ledger.byLayers != nil { swap(&ledger.byLayers, &ledger.stages[s].byLayers) }
      stages[s].costModel.price(part, into: &costs[s], ledger: &ledger.stages[s])
      if ledger.stages[s].byLayers != nil { swap(&ledger.byLayers, &ledger.stages[s].byLayers) }
      if s > 0 { costs[s].hostSeconds = 0 }
      if s + 1 < stages.count {
        costs[s].exposedSeconds = 0
        let rows = part.rowsLeaving(behind: stages[s].layers.count)
        let bytes = Double(rows) * link.bytesPerRow
        sends[s] = link.seconds(rows: rows)
        sentBytes += bytes
        if rows > 0 { ledger.sends += [1, sends[s], bytes, 0] }
      }
    }
    sum(into: &cost)
  }

  /// Makes one cost of those of the stages: all is added up, and the time is that of one after the other.
  func sum(into cost: inout StepCost) {
    cost = StepCost()
    cost.activationBytes = sentBytes
    for s in costs.indices { cost.add(costs[s], sending: sends[s]) }
  }

  /// What each kernel of all stages used, and the ways between them; a stage's time is that of one of its GPUs.
  public func kernels(in ledger: borrowing KernelLedger) -> [KernelUse] {
    var uses: [KernelUse] = []
    for s in ledger.stages.indices { uses.merge(stages[s].costModel.kernels(in: ledger.stages[s])) }
    guard ledger.sends[0] > 0 else { return uses }
    let (calls, seconds, bytes) = (ledger.sends[0], ledger.sends[1], ledger.sends[2])
    return uses + [KernelUse(kernel: "pipeline_send", calls: Int(calls), seconds: seconds, bytes: bytes)]
  }

  /// What each kernel used in the step priced last, over all stages.
  public func takeStepKernels(from ledger: inout KernelLedger) -> [KernelUse] {
    var uses: [KernelUse] = []
    for s in ledger.stages.indices {
      uses.merge(stages[s].costModel.takeStepKernels(from: &ledger.stages[s]))
    }
    return uses
  }
}

extension StepCost {
  /// Adds what the step costs on the next stage, and the time until its rows are on the one behind that.
  fileprivate mutating func add(_ stage: StepCost, sending send: Seconds) {
    kernelSeconds += stage.kernelSeconds
    clockedSeconds += stage.clockedSeconds
    clockedJoules += stage.clockedJoules
    // A stage takes as long as its kernels or as their launches, and hands its rows on after that.
    launchSeconds += max(stage.kernelSeconds, stage.launchSeconds) + send
    hostSeconds += stage.hostSeconds
    exposedSeconds += stage.exposedSeconds
    experts += stage.experts
    expertBytes += stage.expertBytes
    weightBytes += stage.weightBytes
    kvBytes += stage.kvBytes
    activationBytes += stage.activationBytes
    decodeRowJoules += stage.decodeRowJoules
    decodeContextJoules += stage.decodeContextJoules
    prefillRowJoules += stage.prefillRowJoules
    prefillContextJoules += stage.prefillContextJoules
    decodeExpertBytes += stage.decodeExpertBytes
  }
}

extension StepLoad {
  /// Becomes the part of a load that some layers work on, which are then numbered from 0; its arrays are used again.
  fileprivate mutating func take(_ load: borrowing StepLoad, layers: Range<Int>) {
    decode = load.decode
    segments.removeAll(keepingCapacity: true)
    bands.removeAll(keepingCapacity: true)
    for i in load.bands.indices {
      let here = load.bands[i].layers.clamped(to: layers)
      guard !here.isEmpty else { continue }
      let first = segments.count
      for s in load.bands[i].segments { segments.append(load.segments[s]) }
      bands.append(
        LayerBand(
          layers: here.lowerBound - layers.lowerBound..<here.upperBound - layers.lowerBound,
          segments: first..<segments.count))
    }
    prefillSequences = load.prefillSequences
    finishingSequences = load.finishingSequences
    prefillRows = load.prefillRows
    enteringRows = load.enteringRows
    hasPartialDepth = load.hasPartialDepth
  }

  /// Rows that go on behind the last of some layers: all that decode, and those of prompts that pass it.
  fileprivate func rowsLeaving(behind layers: Int) -> Int {
    guard let last = bands.last, last.layers.upperBound == layers else { return 0 }
    return last.segments.reduce(decode.rows) { $0 + segments[$1].tokens }
  }
}

extension [KernelUse] {
  /// Adds what kernels used to those of the same name.
  fileprivate mutating func merge(_ others: [KernelUse]) {
    for use in others {
      if let i = firstIndex(where: { $0.kernel == use.kernel }) { self[i] += use } else { append(use) }
    }
  }
}
