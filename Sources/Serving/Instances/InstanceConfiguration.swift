/// What an instance is made of.
public struct InstanceConfiguration {
  /// Decides what each step runs.
  public var scheduler: any Scheduler
  /// Says what a step costs; equal instances of one thread share it.
  public var costModel: any CostModel
  /// KV memory, empty.
  public var memory: KVMemory
  /// Most sequences that a step may work on.
  public var maxSequences: Int
  /// Steps that may be planned and not yet ended: 1, or 2 where the host prepares a step while the one before runs.
  public var stepsInFlight: Int
  /// The limit on the power of its GPUs; `nil` where nothing limits it.
  public var power: PowerLimit?

  /// Creates a configuration.
  public init(
    scheduler: any Scheduler, costModel: any CostModel, memory: KVMemory, maxSequences: Int = 256,
    stepsInFlight: Int = 1, power: PowerLimit? = nil
  ) {
    precondition(maxSequences >= 1 && stepsInFlight >= 1, "an instance runs a sequence and a step at least")
    self.scheduler = scheduler
    self.costModel = costModel
    self.memory = memory
    self.maxSequences = maxSequences
    self.stepsInFlight = stepsInFlight
    self.power = power
  }
}
