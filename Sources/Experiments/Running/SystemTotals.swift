import Serving

/// What a run leaves behind beside what its recorder was told.
public struct SystemTotals: Sendable {
  /// What each kernel used.
  public let kernels: [KernelUse]
  /// What layers used by what they carry; nothing unless it was asked for.
  public let layerUses: LayerUses
  /// Energy drawn while nothing ran, in joules.
  public internal(set) var idleJoules: Joules
  /// Mean requests in the system as each arrives.
  public let meanInSystem: Double
  /// Most requests in the system.
  public let peakInSystem: Int
  /// How much of the stages' time of each instance was used; `nil` where an instance has none.
  public let pipelines: [PipelineUse?]

  /// Adds up what instances have left behind, and kernels that are no instance's own.
  init(_ outcomes: [InstanceOutcome], further: [KernelUse] = [], population: Population) {
    kernels = InstanceOutcome.kernels(of: outcomes, and: further)
    layerUses = InstanceOutcome.layerUses(of: outcomes) ?? LayerUses()
    idleJoules = InstanceOutcome.idleJoules(of: outcomes)
    meanInSystem = population.mean
    peakInSystem = population.peak
    pipelines = outcomes.map(\.pipelineUse)
  }

  /// The same of all instances that have stages; `nil` if none has.
  public var pipeline: PipelineUse? {
    let uses = pipelines.compactMap { $0 }
    guard let first = uses.first else { return nil }
    return uses.dropFirst().reduce(first) { $0 + $1 }
  }

  /// Launches on one GPU.
  public var kernelCalls: Int { kernels.reduce(0) { $0 + $1.calls } }
  /// Launches outside what was measured.
  public var extrapolatedCalls: Int { kernels.reduce(0) { $0 + $1.extrapolatedCalls } }
}
