/// A scheduling policy: decides what each iteration runs.
///
/// The engine calls ``plan(_:into:)`` once an iteration, checks the plan, asks the cost model how long it takes,
/// and applies it. A policy keeps only the state that is its own: queues, sequence lengths, KV memory and
/// preemption are the engine's.
///
/// ## Writing a policy
///
/// Take decode steps with ``ServingState/decode(atMost:into:)`` (which reserves their KV blocks, and preempts if it
/// must), admit prompts with ``ServingState/admitNext()`` (which reserves the blocks of the whole prompt), and append
/// tiles for admitted prompts to the plan. The order of these calls is the policy's priority.
public protocol Scheduler: Sendable {
  /// Fills an empty plan for the next iteration.
  ///
  /// - Complexity: called once an iteration; should be O(tiles planned).
  mutating func plan(_ state: inout ServingState, into plan: inout IterationPlan)

  /// Whether the policy, having planned a decode step for everybody and nothing else, plans the same again as long as no
  /// request arrives, none ends, and every sequence finds its KV memory.
  ///
  /// The engine then repeats the plan without asking, which is several times faster. A policy that watches the clock or
  /// the sequences' lengths says no.
  var repeatsDecodeSteps: Bool { get }

  /// The longest sequence, prompt and output together, that the policy can ever schedule.
  ///
  /// The engine rejects longer requests on arrival instead of letting them block the queue for ever.
  var longestSequence: Tokens { get }
}

extension Scheduler {
  /// Yes.
  public var repeatsDecodeSteps: Bool { true }

  /// No limit.
  public var longestSequence: Tokens { .max }
}
