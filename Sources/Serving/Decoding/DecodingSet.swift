/// The decoding sequences as running sums.
///
/// Those that step do so together, so that after `step` steps a sequence that joined after step `j` with `c` KV
/// entries holds `c + step - j`. Everything that a step needs follows from sums over the sequences: their
/// number, their contexts, how many need a new block (those whose `c - j` has the right remainder modulo the block
/// size), and which end at this step (a list for each step to come). None of that visits a sequence.
///
/// Sums are of *planned* steps: they advance as a plan is applied. Times and shares of energy are of steps that have
/// ended, and are added up by the same numbers.
struct DecodingSet: Sendable {
  /// Rows of each sequence in a step: more than one where drafts are verified.
  let width: Int
  /// Steps planned so far.
  private(set) var step = 0
  /// When the last step ended.
  private(set) var lastStepAt: Seconds = 0
  /// Sequences that step.
  var stepping = 0
  /// Sequences beyond the cap, which wait until an older one ends.
  var parked = 0
  /// KV entries stored by those that step.
  var context = 0
  /// KV entries that those that step lack behind each drop of a ``TokenProfile``; empty without one.
  var missing: [Tokens] = []

  // All sequences in order of entry: first those that step, then the parked ones.
  var oldest = Slot.none
  var youngest = Slot.none
  var youngestStepping = Slot.none

  /// Sequences that step, by (stored − step) modulo the block size: those in class −step need a block next.
  var byRemainder: [Int32]
  /// The class −step modulo the block size, of the sequences that need a block for the next step; each step, it is
  /// the one before.
  private(set) var classNeedingBlock = 0
  /// First of the sequences whose last token falls due at a step, by step modulo the length.
  var due: [Slot]
  /// Those that joined since the last step was planned: their first gap is their own.
  var fresh: [Slot] = []

  var window: SlidingWindow?
  var gaps = GapHistory()
  private(set) var shares = DecodeShares()

  init(blockSize: Int, window: Tokens?, longestOutput: Tokens, width: Int = 1) {
    self.width = width
    byRemainder = Array(repeating: 0, count: blockSize)
    var length = 16
    while length <= longestOutput { length *= 2 }
    due = Array(repeating: .none, count: length)
    self.window = window.map(SlidingWindow.init)
  }

  /// KV entries that those that step will attend to in the next step, the new ones included.
  var nextContext: Int { context + stepping * width }

  /// What the next step has to decode.
  var nextLoad: DecodeLoad {
    guard stepping > 0 else { return DecodeLoad() }
    return DecodeLoad(
      sequences: stepping, context: nextContext,
      windowContext: window.map { $0.nextContext + stepping * (width - 1) } ?? 0, rows: stepping * width)
  }

  /// Plans a step: every sequence that steps will have one token more.
  @inline(__always)
  mutating func advance() {
    context += stepping
    step += 1
    classNeedingBlock = (classNeedingBlock > 0 ? classNeedingBlock : byRemainder.count) - 1
    window?.advance(to: step)
  }

  /// Ends a step.
  ///
  /// - Parameters:
  ///   - load: what it decoded.
  ///   - step: its number.
  ///   - cost: what it cost, to be shared among its sequences.
  ///   - now: when it ends.
  /// - Returns: the time since the step before.
  @inline(__always)
  mutating func settle(_ load: DecodeLoad, step: Int, cost: StepCost, at now: Seconds) -> Seconds {
    let rows = Double(load.sequences)
    // Drafts share what the entries of their sequence cost.
    let perEntry = cost.decodeContextJoules / Double(load.context - (load.rows - load.sequences))
    shares.joules += cost.decodeRowJoules / rows
    shares.expertBytes += cost.decodeExpertBytes / rows
    shares.contextJoules += perEntry
    shares.contextJoulesByStep += perEntry * Double(step)
    let gap = now - lastStepAt
    lastStepAt = now
    return gap
  }

  /// Plans and ends a step that decodes what the one before did, one row of each sequence.
  ///
  /// - Parameters:
  ///   - cost: what it cost.
  ///   - rows: sequences.
  ///   - expertBytes: each sequence's share of the expert weights read.
  ///   - now: when it ends.
  /// - Returns: the time since the step before.
  @inline(__always)
  mutating func repeatStep(_ cost: DecodeStep, rows: Double, expertBytes: Double, at now: Seconds) -> Seconds
  {
    let perEntry = cost.decodeContextJoules / Double(nextContext)
    advance()
    shares.joules += cost.decodeRowJoules / rows
    shares.expertBytes += expertBytes
    shares.contextJoules += perEntry
    shares.contextJoulesByStep += perEntry * Double(step)
    let gap = now - lastStepAt
    lastStepAt = now
    return gap
  }

  /// How many steps from now on some sequence's last token falls due next; `nil` if that is more than `limit`.
  ///
  /// - Complexity: O(limit).
  func stepsToNextCompletion(atMost limit: Int) -> Int? {
    for ahead in 1...limit where due[(step + ahead) & (due.count - 1)].exists { return ahead }
    return nil
  }

  /// The remainder class of a sequence that stores `context` entries now.
  func remainder(ofContext context: Int) -> Int { (context + classNeedingBlock) % byRemainder.count }

  /// Sequences that need a new block for the next step.
  var needingBlock: Int { Int(byRemainder[classNeedingBlock]) }
}
