import Serving
import Synchronization

/// A scheduler that watches another one, and writes down every rule that is broken.
///
/// It follows each prompt layer by layer, and knows nothing of how the engine keeps track of it.
struct Witness: Scheduler {
  /// What it saw; shared by its copies.
  final class Testimony: Sendable {
    private struct Notes {
      var faults: [String] = []
      var prompts = 0
      var restarts = 0
      var positions = 0
      var starts: [Seconds] = []
    }
    private let notes = Mutex(Notes())

    func report(_ fault: String) { notes.withLock { $0.faults.append(fault) } }
    func promptBegan(at now: Seconds) { notes.withLock { $0.starts.append(now) } }
    func promptEnded(positions: Int) {
      notes.withLock {
        $0.prompts += 1
        $0.positions += positions
      }
    }
    func promptRestarted() { notes.withLock { $0.restarts += 1 } }
    /// Prompts that began anew before they were through.
    var restarts: Int { notes.withLock { $0.restarts } }
    /// Faults, in order.
    var faults: [String] { notes.withLock { $0.faults } }
    /// Prompts that went through the model, those computed anew included.
    var prompts: Int { notes.withLock { $0.prompts } }
    /// Their positions.
    var positions: Int { notes.withLock { $0.positions } }
    /// When the first tile of each was planned.
    var starts: [Seconds] { notes.withLock { $0.starts } }
  }

  private struct Progress {
    let tokens: Int
    /// For each layer, the positions that are through it.
    var through: [Int]
  }

  let testimony = Testimony()
  var inner: any Scheduler
  private var progress: [Slot: Progress] = [:]

  init(_ inner: any Scheduler) { self.inner = inner }

  var longestSequence: Tokens { inner.longestSequence }
  var longestPrompt: Tokens { inner.longestPrompt }
  var servesInOrder: Bool { inner.servesInOrder }

  mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    if view.runningCount == 0, view.memory.usedBlocks != 0 {
      testimony.report("\(view.memory.usedBlocks) blocks are held although nobody runs")
    }
    inner.plan(view, into: &plan)
    if !(0...view.memory.totalBlocks).contains(plan.freeBlocks) {
      testimony.report("\(plan.freeBlocks) of \(view.memory.totalBlocks) blocks are free")
    }
    if plan.decodes > view.maxSequences { testimony.report("\(plan.decodes) sequences step") }
    for tile in plan.tiles { follow(tile, view, plan) }
  }

  private mutating func follow(_ tile: Tile, _ view: InstanceView, _ plan: StepPlan) {
    let prompts = (0..<plan.promptCount(view)).map { plan.prompt($0, view) }
    guard let prompt = prompts.first(where: { $0.slot == tile.sequence }) else {
      return testimony.report("\(tile) is of no admitted prompt")
    }
    if tile.tokens.lowerBound == 0, tile.layers.lowerBound == 0, progress[tile.sequence] != nil {
      testimony.promptRestarted()
      progress[tile.sequence] = nil
    }
    if progress[tile.sequence] == nil { testimony.promptBegan(at: max(view.now, view.busyUntil)) }
    var record =
      progress[tile.sequence]
      ?? Progress(tokens: prompt.tokens, through: .init(repeating: 0, count: view.layers))
    for layer in tile.layers {
      if record.through[layer] != tile.tokens.lowerBound {
        testimony.report("\(tile) skips or repeats tokens")
      }
      if layer > 0, record.through[layer - 1] < tile.tokens.upperBound {
        testimony.report("\(tile) skips layers")
      }
      record.through[layer] = tile.tokens.upperBound
    }
    guard record.through.allSatisfy({ $0 == record.tokens }) else {
      progress[tile.sequence] = record
      return
    }
    progress[tile.sequence] = nil
    testimony.promptEnded(positions: record.tokens)
  }
}
