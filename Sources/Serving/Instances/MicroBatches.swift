/// The micro-batches of a pipeline: as many as it has stages, so that each stage can have one.
///
/// A sequence that decodes stays in the micro-batch in which its prompt came to its end, and takes its next step when that
/// has ended its last one: it is in one step in flight at most. Those of a micro-batch step together, so that each has a
/// ``DecodingSet`` of its own. The instance's view has that of the micro-batch which is planned or ended; queue, prompts
/// under way and memory are everybody's.
struct MicroBatches {
  /// What a micro-batch keeps while another is in the view.
  private struct Batch {
    var decoding: DecodingSet
    var leftOut: [Slot] = []
    /// The number of its last step; -1 before the first.
    var lastStep: Int64 = -1
    var isInFlight = false
    /// Of those that have ended, which has been for longest.
    var turn = 0
  }

  private var batches: [Batch]
  /// The one in the view.
  private(set) var current = 0
  /// Which each flight is of.
  private var batchOfFlight: [Int]
  private var turns = 0
  /// What each kernel used in each flight, where that is logged.
  var kernels: [[KernelUse]]
  var clock: PipelineClock
  /// Most sequences of all micro-batches, or of each.
  private let maxSequences: Int
  private let isForAll: Bool
  /// Sequences of a micro-batch that is planned were asked for in vain.
  private var isTried: [Bool]

  init(_ model: PipelineCostModel, _ view: borrowing InstanceView, overlapsHost: Bool, servesInOrder: Bool) {
    let count = model.stages.count
    batches = Array(repeating: Batch(decoding: view.decoding), count: count)
    batchOfFlight = Array(repeating: 0, count: count)
    kernels = Array(repeating: [], count: count)
    isTried = Array(repeating: false, count: count)
    clock = PipelineClock(model, overlapsHost: overlapsHost)
    maxSequences = view.maxSequences
    isForAll = servesInOrder
  }

  /// Lets a micro-batch into the view, and the one that is there out.
  private mutating func enter(_ batch: Int, _ view: inout InstanceView) {
    guard batch != current else { return }
    swap(&view.decoding, &batches[current].decoding)
    swap(&view.leftOut, &batches[current].leftOut)
    current = batch
    swap(&view.decoding, &batches[batch].decoding)
    swap(&view.leftOut, &batches[batch].leftOut)
  }

  /// Sequences that decode in the micro-batches which are not in the view.
  var decodingElsewhere: Int {
    batches.indices.reduce(0) {
      $1 == current ? $0 : $0 + batches[$1].decoding.stepping + batches[$1].decoding.parked
    }
  }

  /// Whether another sequence may decode, beside those of the view and some that are to come.
  func hasRoom(beside count: Int) -> Bool {
    count + decodingElsewhere < (isForAll ? maxSequences : maxSequences * batches.count)
  }

  /// Begins to look for a micro-batch that can be planned.
  mutating func beginSearch() { for i in isTried.indices { isTried[i] = false } }

  /// Lets the next micro-batch into the view that is in no step in flight: those that decode, the longest idle first, then
  /// one that is empty, for new prompts.
  ///
  /// - Parameters:
  ///   - view: the instance's.
  ///   - finishing: prompts that steps in flight finish.
  /// - Returns: whether there is one.
  mutating func enterNext(_ view: inout InstanceView, finishing: Int) -> Bool {
    var best: Int?
    for i in batches.indices where !batches[i].isInFlight && !isTried[i] {
      if let known = best, !isBefore(i, known, view) { continue }
      best = i
    }
    guard let best else { return false }
    isTried[best] = true
    let isEmpty = count(best, view) == 0
    // One that is empty stands for all that are.
    if isEmpty { for i in batches.indices where count(i, view) == 0 { isTried[i] = true } }
    enter(best, &view)
    if isForAll { view.maxSequences = max(0, maxSequences - decodingElsewhere - finishing) }
    return true
  }

  private func isBefore(_ a: Int, _ b: Int, _ view: borrowing InstanceView) -> Bool {
    let (isEmptyA, isEmptyB) = (count(a, view) == 0, count(b, view) == 0)
    guard isEmptyA == isEmptyB else { return isEmptyB }
    return batches[a].turn < batches[b].turn
  }

  private func count(_ batch: Int, _ view: borrowing InstanceView) -> Int {
    batch == current ? view.decodingCount : batches[batch].decoding.stepping + batches[batch].decoding.parked
  }

  /// Ends the spans of those that decode where steps of others lie between their last one and the next.
  mutating func cutSpans(_ view: inout InstanceView) {
    let last = batches[current].lastStep
    if last >= 0, view.step > last + 1 { view.cutSpans(lastStep: last) }
  }

  /// The micro-batch of the view is in flight.
  mutating func fly(_ flight: Int, step: Int64) {
    batchOfFlight[flight] = current
    batches[current].isInFlight = true
    batches[current].lastStep = step
  }

  /// A flight ends: its micro-batch is let into the view.
  mutating func land(_ flight: Int, _ view: inout InstanceView) {
    let batch = batchOfFlight[flight]
    enter(batch, &view)
    batches[batch].isInFlight = false
    turns += 1
    batches[batch].turn = turns
  }

  /// Settles the accounts of all that decode, because the run is cut.
  mutating func abandon(_ view: inout InstanceView) {
    for batch in batches.indices {
      enter(batch, &view)
      view.abandonDecoding(lastStep: batches[batch].lastStep)
    }
  }
}
