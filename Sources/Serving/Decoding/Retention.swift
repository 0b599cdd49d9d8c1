/// How many KV entries a sequence keeps while it decodes: ARKV's rule (arXiv 2603.08727), the same in every layer.
///
/// A prompt is attended to as a whole, and keeps ``budget`` entries of its own at most once it is through. In decode each step
/// adds an entry. As soon as there are more than the budget, the step that saw them all leaves the newest ``window`` entries,
/// and ``keptShare`` of those before. So the number moves in a saw-tooth between about that share of the budget and the whole
/// of it. Some of what is left is stored in 8 bits.
///
/// *Which* entries are kept, and what that does to the text, is not simulated.
public struct Retention: Sendable, Hashable {
  /// Most entries of a sequence in a layer, between two steps.
  public let budget: Tokens
  /// The newest entries, which are always kept, in 16 bits.
  public let window: Tokens
  /// Share of the entries left by an eviction that is stored in 8 bits.
  public let narrowShare: Double

  /// The share of the entries before the window that an eviction leaves.
  public static let keptShare = 0.75

  /// Creates a rule.
  ///
  /// - Precondition: the window is shorter than the budget, and the share is from 0 to 1.
  public init(budget: Tokens, window: Tokens = 32, narrowShare: Double = 0) {
    precondition(
      (0..<budget).contains(window) && (0...1).contains(narrowShare), "a budget holds more than the window")
    self.budget = budget
    self.window = window
    self.narrowShare = narrowShare
  }

  /// Entries that an eviction leaves of one more than the budget.
  public var kept: Tokens { window + Int(Self.keptShare * Double(budget + 1 - window)) }

  /// Entries that an eviction takes in a layer: what is written from one to the next.
  public var evicted: Tokens { budget + 1 - kept }

  /// Entries in 8 bits after an eviction; the window has none.
  public var narrow: Tokens { min(kept - window, Int(narrowShare * Double(kept))) }

  /// Entries of a prompt once it is through.
  public func entries(ofPrompt tokens: Tokens) -> Tokens { min(tokens, budget) }

  /// Entries of a sequence.
  ///
  /// - Parameters:
  ///   - prompt: tokens that went through the model as a prompt.
  ///   - decoded: tokens that decode steps have stored since then.
  /// - Returns: how many are left between two steps, the same as step by step.
  public func entries(ofPrompt prompt: Tokens, decoded: Tokens) -> Tokens {
    let all = entries(ofPrompt: prompt) + decoded
    return all <= budget ? all : kept + (all - budget - 1) % evicted
  }

  /// The share of a prompt's entries that is evicted once it is through.
  public func evictedShare(ofPrompt tokens: Tokens) -> Double {
    max(0, 1 - Double(budget) / Double(tokens))
  }
}

/// What a step does about KV entries beyond attending to them, where sequences keep a part of them.
public struct RetentionLoad: Sendable, Hashable {
  /// Decoding sequences whose entries exceed the budget in this step: some are evicted.
  public var compacting = 0
  /// Decoding sequences a part of whose entries is stored in 8 bits.
  public var narrowed = 0
  /// Prompts that are through with this step, and longer than the budget.
  public var evictingPrompts = 0

  /// Creates the load of a step that does nothing of the kind.
  public init() {}
}
