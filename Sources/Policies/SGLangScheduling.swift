import Serving

/// SGLang's scheduler: a step is prompts or decode steps, and prompts go first whenever some can be admitted.
///
/// At most one prompt is unfinished: the last one of a step is cut to fit, and its next chunk goes first. A prompt is
/// admitted if it fits beside an estimate of what it and all that run will write: a share of their limits that falls
/// with each decode step, and rises when memory runs short. New requests may be looked for only every so many decode
/// steps, and after each step of prompts. Facts of SGLang 0.5's source and documentation.
///
///     PPPP....PP..      rows: groups of layers
///     PPPP....PP..      columns: iterations
public struct SGLangScheduling: Scheduler {
  let chunk: Tokens
  let prefillTokens: Tokens
  let share: Double
  let longestOutput: Tokens
  /// Whether the share is given and stays.
  let isFixed: Bool
  /// Decode steps until the share has fallen to its least, and that as a part of the first one.
  static let decaySteps = 600.0
  static let leastPart = 0.14

  /// The share as of some decode step.
  private var base: Double
  private var baseStep = 0

  /// Decode steps from one look for new requests to the next.
  let receiveInterval: Int
  /// The decode step of the latest look, and whether another one is due whatever its distance: after prompts, or nothing.
  private var lookStep = 0
  private var isLookDue = true
  /// Requests that wait and have been seen, at the front of the queue.
  private var seen = 0

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - chunk: most prompt tokens in a step, `chunked_prefill_size`.
  ///   - prefillTokens: most tokens of prompts that are admitted in a step, `max_prefill_tokens`.
  ///   - share: of the outputs' limits that is reserved at first.
  ///   - isFixed: whether the share stays, as with requests that ignore the end of their text.
  ///   - longestOutput: no output counts for more tokens than this.
  ///   - receiveInterval: decode steps between two looks for new requests, `scheduler_recv_interval`.
  public init(
    chunk: Tokens, prefillTokens: Tokens = 16_384, share: Double = 0.7, isFixed: Bool = false,
    longestOutput: Tokens = 4096, receiveInterval: Int = 1
  ) {
    self.receiveInterval = receiveInterval
    self.chunk = chunk
    self.prefillTokens = prefillTokens
    self.share = share
    self.isFixed = isFixed
    self.longestOutput = longestOutput
    base = share
  }

  /// The share of the outputs' limits that is reserved after so many decode steps.
  func share(afterStep step: Int) -> Double {
    guard !isFixed else { return share }
    let least = share * Self.leastPart
    let fallen = base - (share - least) / Self.decaySteps * Double(step - baseStep)
    return max(least, fallen)
  }

  /// Plans prompts if some are unfinished or can be admitted, else decode steps.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    look(view)
    planPrompts(view, into: &plan)
    guard plan.tiles.isEmpty else {
      isLookDue = true
      return
    }
    plan.decode(view)
    seen += plan.victims
    isLookDue = plan.decodes == 0
    if plan.victims > 0 {
      // Those that are left have written a part of their limits; the next few steps are counted as written.
      let (written, limits) = view.outputs(keptBy: plan)
      base = limits > 0 ? min(1, Double(written + 20 * plan.decodes) / Double(limits)) : share
      baseStep = view.decodeSteps
    }
  }

  /// Sees the requests that have come, if it is time for that or nothing runs.
  ///
  /// Between two looks there is no other: what comes ends a repetition, and the next one goes no further than the look.
  private mutating func look(_ view: InstanceView) {
    let steps = view.decodeSteps - lookStep
    let isNow = isLookDue || steps % receiveInterval == 0 || view.runningCount == 0
    guard isNow || steps > receiveInterval else { return }
    lookStep = isNow ? view.decodeSteps : lookStep + steps / receiveInterval * receiveInterval
    if isNow { seen = view.waitingCount }
  }

  private mutating func planPrompts(_ view: InstanceView, into plan: inout StepPlan) {
    var left = chunk
    var admitted = prefillTokens
    var position = 0
    var room = view.maxSequences - view.runningCount
    var reserved: Double?
    while left > 0 {
      let prompt: Prompt
      if position < plan.promptCount(view) {
        prompt = plan.prompt(position, view)
      } else {
        // A prompt that is cut is the only unfinished one.
        guard room > 0, seen > 0, plan.tiles.isEmpty || !isCut(plan, view),
          let next = plan.nextWaiting(view), admitted > 0
        else { return }
        let share = share(afterStep: view.decodeSteps)
        let own = Double(next.tokens) + share * Double(min(view.outputLimit(of: next), longestOutput))
        let before = reserved ?? share * Double(view.outputsLeft(atMost: longestOutput))
        guard before + own <= Double(plan.freeBlocks * view.memory.blockSize), let new = plan.admitNext(view)
        else { return }
        reserved = before + own - Double(next.tokens)
        admitted -= new.remaining
        room -= 1
        seen -= 1
        prompt = new
      }
      let tokens = min(prompt.remaining, left)
      plan.prefill(prompt, tokens: prompt.done..<prompt.done + tokens, layers: 0..<view.layers)
      left -= tokens
      position += 1
    }
  }

  /// Whether the last tile leaves tokens of its prompt.
  private func isCut(_ plan: borrowing StepPlan, _ view: InstanceView) -> Bool {
    guard let tile = plan.tiles.last else { return false }
    return tile.tokens.upperBound < plan.prompt(plan.tiles.count - 1, view).tokens
  }

  /// For ever, unless the share falls and somebody waits for that, or somebody waits for the next look.
  public func repeats(_ view: InstanceView) -> Repeats {
    if view.waitingCount > 0, seen > 0, !isFixed, share(afterStep: view.decodeSteps) > share * Self.leastPart
    {
      return .no
    }
    guard view.waitingCount > seen else { return .untilSomethingHappens }
    let left = lookStep + receiveInterval - view.decodeSteps
    return left > 1 ? .atMost(steps: left - 1) : .no
  }
}
