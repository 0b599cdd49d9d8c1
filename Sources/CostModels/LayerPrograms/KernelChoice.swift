import Serving
import Systems

/// Which kernels an engine has, where engines differ.
public struct KernelChoice: Sendable, Hashable {
  /// The engine's own all-reduce.
  public var allReduce = AllReduce.Implementation.custom
  /// Whether the engine's own all-reduce does the norm behind it.
  public var fusesSumAndNorm = false
  /// Bytes from which all-reduces go to NCCL.
  public var allReduceLimitBytes = 8 << 20
  /// The least time of an all-reduce that is not launched from a graph.
  public var eagerAllReduceFloor: Seconds = 0
  /// The time that the GPUs of an all-reduce wait for the last of them.
  public var allReduceSkew: Seconds = 0
  /// How rows get to the experts of other ranks and back; `nil` where they need not.
  public var exchange: ExpertExchange.Law?
  /// Copies of experts beyond one of each, where ranks are balanced; `nil` where they are not.
  public var redundantExperts: Int?
  /// Whether ranks pass over the choices of their own experts alone.
  public var passesOverOwnChoices = false
  /// Most GPUs among which the engine's own all-reduce is priced as measured; 0 for no limit.
  public var mostAllReduceGPUs = 0
  /// Whether prefill attention may split the keys of a tile among several blocks.
  public var splitsKeys = true
  /// Whether kernels that stream through memory are fused.
  public var elementwise = Elementwise.Style.fused

  /// Creates the choice of an ideal engine.
  public init() {}
}

extension EngineDescription {
  /// The engine's kernels.
  public var kernelChoice: KernelChoice {
    var choice = KernelChoice()
    choice.allReduce = AllReduce.Implementation(rawValue: allReduceKernel) ?? .custom
    choice.fusesSumAndNorm = fusesSumAndNorm
    choice.allReduceLimitBytes = customAllReduceLimitBytes
    choice.eagerAllReduceFloor = eagerAllReduceMicroseconds * 1e-6
    choice.allReduceSkew = allReduceSkewMicroseconds * 1e-6
    choice.mostAllReduceGPUs = mostAllReduceGPUs
    choice.redundantExperts = balancesExperts ? redundantExperts : nil
    choice.passesOverOwnChoices = passesOverOwnChoices
    choice.splitsKeys = splitsAttentionKeys
    choice.elementwise = fusesElementwise ? .fused : .unfused
    return choice
  }
}
