/// A scheduling policy: decides what each step runs.
///
/// The engine calls ``plan(_:into:)`` before a step, checks the plan, asks the cost model how long it takes, and applies
/// it. A policy is a function from a view to a plan: making a plan changes nothing. It keeps only the state that is
/// its own; queues, sequence lengths, KV memory and preemption are the engine's.
///
/// ## Writing a policy
///
/// Take decode steps with ``StepPlan/decode(_:atMost:)`` (which plans their KV blocks, and preemptions where memory is
/// short), admit prompts with ``StepPlan/admitNext(_:)`` or ``StepPlan/admit(_:_:)`` (which plan the blocks of the whole
/// prompt), and plan tiles for admitted prompts with ``StepPlan/prefill(_:tokens:layers:)``. The order of these calls is
/// the policy's priority: the engine applies them in it. ``InstanceView/estimate(_:)`` tells what a plan would take.
public protocol Scheduler: Sendable {
  /// Fills an empty plan for the next step.
  ///
  /// - Complexity: called once a step; should be O(tiles planned).
  mutating func plan(_ view: InstanceView, into plan: inout StepPlan)

  /// For how long the policy, having planned a decode step for every sequence and nothing else, plans the same again.
  ///
  /// Asked only while nothing happens that it could not foresee: no request arrives or ends, and every sequence finds
  /// its KV memory. The engine then repeats the plan without asking, which is several times faster.
  func repeats(_ view: InstanceView) -> Repeats

  /// The longest sequence, prompt and output together, that the policy can ever schedule.
  ///
  /// The engine rejects longer requests on arrival instead of letting them block the queue for ever.
  var longestSequence: Tokens { get }

  /// The longest prompt that the policy can ever schedule.
  var longestPrompt: Tokens { get }

  /// Whether it serves those that run in the order of their admission, with ``StepPlan/serve(_:budget:atMost:)``.
  ///
  /// The rules of its instance then are ``EngineRules/Order/byAdmission``.
  var servesInOrder: Bool { get }

  /// Whether a request starts only if all that run, and it, could write up to their limits.
  ///
  /// Prompts that come from other instances are then taken in by the same rule.
  var keepsRoomForOutputs: Bool { get }
}

/// For how long a policy plans the same again.
public enum Repeats: Sendable, Hashable {
  /// It wants to be asked before every step.
  case no
  /// Until a request arrives or ends, or memory is short.
  case untilSomethingHappens
  /// For a number of steps.
  case atMost(steps: Int)
  /// For the steps that begin before a time.
  case until(Seconds)
}

extension Scheduler {
  /// Until something happens.
  public func repeats(_ view: InstanceView) -> Repeats { .untilSomethingHappens }

  /// No limit.
  public var longestSequence: Tokens { .max }

  /// No limit.
  public var longestPrompt: Tokens { .max }

  /// False.
  public var servesInOrder: Bool { false }

  /// No: it starts if its prompt fits.
  public var keepsRoomForOutputs: Bool { false }
}
