import Serving

/// The reference engine's schedulers, written down as plainly as can be: an oracle for the engine and the policies.
///
/// It shares nothing with them but the cost of a layer. Queues are arrays, every decoding sequence is visited in every
/// iteration, layers are priced one by one, and each token's time is kept.
final class NaiveEngine {
  enum Mode {
    case chunked(budget: Int, decodesCount: Bool)
    case layered(cohort: Int, stages: Int)
    case orca(budget: Int)
  }

  final class Sequence {
    let id: Int
    var arrival: Seconds
    let prompt: Int
    let output: Int
    var isRejected = false
    var scheduledAt = Seconds.nan
    var tokenTimes: [Seconds] = []
    var preemptions = 0
    var joules = 0.0
    var expertBytes = 0.0
    var blocks = 0
    /// Entries that it keeps, where some are evicted, and whether some were since its prompt was through.
    var keptEntries = 0
    var hasEvicted = false
    // Prefill: `done` positions are through all layers, the next `todo` are under way.
    var done = 0
    var todo = 0
    var stage = -1
    var stages = 1
    /// Rows of the chunk under way, and entries of what is through, in each layer; empty without a profile.
    var alive: [NaiveAlive] = []
    var entries: [Int] = []
    /// Tokens that those entries are of.
    var prefilled = 0

    init(_ request: Request) {
      (id, arrival) = (request.id, request.arrival)
      (prompt, output) = (request.promptTokens, request.outputTokens)
    }

    /// Prompt and tokens written; the newest one's KV entry is not stored yet.
    var length: Int { prompt + tokenTimes.count }
    var gaps: [Seconds] { zip(tokenTimes, tokenTimes.dropFirst()).map { $1 - $0 } }
  }

  struct Iteration {
    var start = 0.0
    var end = 0.0
    var decodes = 0
    var outputs = 0
    var rows = 0
    var prompts = 0
    var layers = 0..<0
    var queue = 0
    var blocks = 0
    var joules = 0.0
    var expertBytes = 0.0
  }

  let mode: Mode
  let cost: LoadedCost
  let maxSequences: Int
  /// Drafts of each decoding sequence are verified beside its newest token.
  let speculation: Speculation?
  /// How prompts thin out.
  let profile: TokenProfile?
  /// Entries beyond a budget are evicted.
  let retention: Retention?
  var longest = Int.max
  var now = 0.0
  var freeBlocks: Int
  var waiting: [Sequence] = []
  var prefilling: [Sequence] = []
  var decoding: [Sequence] = []
  var cohort: [Sequence] = []
  var iterations: [Iteration] = []

  init(
    _ mode: Mode, cost: LoadedCost, maxSequences: Int, speculation: Speculation? = nil,
    profile: TokenProfile? = nil, retention: Retention? = nil
  ) {
    self.profile = profile
    self.speculation = speculation
    self.retention = retention
    self.mode = mode
    self.cost = cost
    self.maxSequences = maxSequences
    freeBlocks = cost.kvBlocks
  }

  func run(_ requests: [Request], maxModelLength: Int, maxConcurrency: Int) -> [Sequence] {
    let sequences = requests.map(Sequence.init)
    var upcoming = sequences[...]
    var held: [Sequence] = []
    var inFlight = 0
    longest = min(maxModelLength, cost.kvBlocks * cost.blockSize)
    if case .orca(let budget) = mode { longest = min(longest, budget) }

    func send(_ s: Sequence) {
      if s.prompt + s.output > longest {
        s.isRejected = true
      } else {
        waiting.append(s)
        inFlight += 1
      }
    }
    func takeArrivals() {
      while let s = upcoming.first, s.arrival <= now {
        upcoming.removeFirst()
        if inFlight < maxConcurrency { send(s) } else { held.append(s) }
      }
    }

    while true {
      if inFlight == 0 {
        guard let next = upcoming.first else { return sequences }
        now = max(now, next.arrival)
      }
      takeArrivals()
      if inFlight == 0 { continue }
      let (prefill, decode) = schedule()
      let completed = execute(prefill, decode)
      takeArrivals()
      inFlight -= completed
      while inFlight < maxConcurrency, !held.isEmpty {
        let s = held.removeFirst()
        s.arrival = now
        send(s)
      }
    }
  }

  // MARK: What runs next

  func schedule() -> (prefill: [Sequence], decode: [Sequence]) {
    switch mode {
    case .chunked(let budget, let decodesCount):
      let decode = takeDecoders(atMost: decodesCount ? budget / (1 + drafts) : .max)
      let prefill = takePrompts(
        tokens: decodesCount ? budget - decode.count * (1 + drafts) : budget,
        sequences: maxSequences - decode.count)
      return (prefill, decode)
    case .layered(let tokens, let stages):
      let decode = takeDecoders(atMost: .max)
      if cohort.isEmpty {
        cohort = takePrompts(tokens: tokens, sequences: maxSequences - decode.count)
        let groups = Self.groups(tokens: cohort.reduce(0) { $0 + $1.todo }, stages: stages)
        for s in cohort { (s.stage, s.stages) = (-1, groups) }
      }
      for s in cohort { s.stage += 1 }
      return (cohort, decode)
    case .orca(let budget):
      var left = budget
      var prefill: [Sequence] = []
      while prefill.count < maxSequences, let s = waiting.first, s.length <= left, admitFirst() {
        s.todo = s.length
        left -= s.length
        prefill.append(s)
      }
      return (prefill, takeDecoders(atMost: maxSequences - prefill.count))
    }
  }

  /// Decoders from the left; where there is no block for one, those at the right end lose theirs.
  private func takeDecoders(atMost limit: Int) -> [Sequence] {
    var taken: [Sequence] = []
    while !decoding.isEmpty, taken.count < min(limit, maxSequences) {
      let s = decoding.removeFirst()
      // The newest token's slot, and with drafts theirs and those of the next ones.
      let slots = min(seen(by: s) + drafts + (speculation?.lookahead ?? 0), longest)
      let needed = max(0, (slots + cost.blockSize - 1) / cost.blockSize - s.blocks)
      if needed > 0 {
        while freeBlocks < needed, let youngest = decoding.popLast() { preempt(youngest) }
        guard freeBlocks >= needed else {
          preempt(s)
          break
        }
        freeBlocks -= needed
        s.blocks += needed
      }
      taken.append(s)
    }
    decoding = taken + decoding
    return taken
  }

  private var drafts: Int { speculation?.rates.count ?? 0 }

  /// Entries that the newest token of a decoding sequence attends to, its own included.
  private func seen(by s: Sequence) -> Int { retention == nil ? s.length : s.keptEntries + 1 }

  /// Of more entries than the budget a quarter is evicted, the window spared; blocks that hold none are free.
  private func evict(_ s: Sequence, from entries: Int) {
    guard let rule = retention else { return }
    s.keptEntries = entries
    if entries > rule.budget {
      s.keptEntries = rule.window + (entries - rule.window) * 3 / 4
      s.hasEvicted = true
    }
    returnBlocks(of: s)
  }

  private func returnBlocks(of s: Sequence) {
    let needed = (s.keptEntries + cost.blockSize - 1) / cost.blockSize
    freeBlocks += s.blocks - needed
    s.blocks = needed
  }

  private func preempt(_ s: Sequence) {
    freeBlocks += s.blocks
    s.blocks = 0
    s.done = 0
    s.entries = []
    s.prefilled = 0
    s.hasEvicted = false
    s.preemptions += 1
    waiting.insert(s, at: 0)
  }

  /// The remainder of a prompt that was cut, then waiting ones, until one does not fit into memory.
  private func takePrompts(tokens: Int, sequences: Int) -> [Sequence] {
    var left = tokens
    var taken: [Sequence] = []
    while left > 0, taken.count < sequences {
      if taken.count == prefilling.count, !admitFirst() { break }
      let s = prefilling[taken.count]
      s.todo = min(s.length - s.done, left)
      left -= s.todo
      taken.append(s)
    }
    return taken
  }

  private func admitFirst() -> Bool {
    guard let s = waiting.first else { return false }
    let needed = (s.length + cost.blockSize - 1) / cost.blockSize
    guard needed <= freeBlocks else { return false }
    waiting.removeFirst()
    freeBlocks -= needed
    s.blocks = needed
    if s.scheduledAt.isNaN { s.scheduledAt = now }
    prefilling.append(s)
    return true
  }

  /// The reference engine's table; there is no rule for other numbers of stages.
  static func groups(tokens: Int, stages: Int) -> Int {
    guard let column = [16, 12, 24, 4].firstIndex(of: stages) else { fatalError("no such column") }
    if tokens <= 512 { return 1 }
    if tokens <= 1024 { return 2 }
    if tokens <= 2048 { return 4 }
    if tokens <= 4096 { return [8, 6, 8, 4][column] }
    return stages
  }

  /// `numpy.array_split(arange(layers), parts)[part]`.
  static func split(_ layers: Int, into parts: Int, part: Int) -> Range<Int> {
    var sizes = Array(repeating: layers / parts, count: parts)
    for i in 0..<layers % parts { sizes[i] += 1 }
    let begin = sizes[..<part].reduce(0, +)
    return begin..<begin + sizes[part]
  }

  // MARK: What it costs, and what becomes of it

  func layers(of s: Sequence) -> Range<Int> {
    if case .layered = mode { return Self.split(cost.layers, into: s.stages, part: s.stage) }
    return 0..<cost.layers
  }

  /// Pairs of a query and a key in a layer.
  private func attended(_ s: Sequence, _ layer: Int) -> Int {
    let before = s.entries.isEmpty ? s.done : s.entries[layer]
    return (before..<before + alive(s, layer).attention).reduce(0) {
      $0 + min($1 + 1, profile?.keys?.keys ?? .max)
    }
  }

  private func alive(_ s: Sequence, _ layer: Int) -> NaiveAlive {
    s.alive.isEmpty ? NaiveAlive(attention: s.todo, mlp: s.todo, isScored: false) : s.alive[layer]
  }

  /// Entries that a sequence lacks in a layer.
  private func missing(_ s: Sequence, _ layer: Int) -> Int {
    s.entries.isEmpty ? 0 : s.prefilled - s.entries[layer]
  }

  /// An iteration: what it runs, and the ticks of each layer and of what is beside them.
  struct Step {
    var record = Iteration()
    var prefill: [Sequence]
    var decode: [Sequence]
    var through: [Sequence] = []
    var finishing: [Sequence] = []
    var ticks: [Int] = []
    var beside = 0
  }

  /// Runs an iteration; returns how many sequences completed.
  private func execute(_ prefill: [Sequence], _ decode: [Sequence]) -> Int {
    var step = price(prefill, decode)
    step.record.start = now
    now += cost.seconds(ticks: step.ticks.reduce(step.beside, +))
    step.record.end = now
    movePrompts(step)
    return finish(step)
  }

  /// What an iteration costs, which its sequences share.
  func price(_ prefill: [Sequence], _ decode: [Sequence]) -> Step {
    var step = Step(prefill: prefill, decode: decode)
    var record = Iteration()
    record.decodes = decode.count
    if let profile {
      for s in prefill {
        s.alive = NaiveAlive.layers(cost.layers, tokens: s.todo, profile)
      }
    }
    record.rows = prefill.reduce(0) { $0 + alive($1, layers(of: $1).lowerBound).attention }
    record.prompts = prefill.count
    record.layers = prefill.first.map(layers(of:)) ?? 0..<0
    record.queue = waiting.count
    record.blocks = cost.kvBlocks - freeBlocks

    let lengths = decode.reduce(0) { $0 + seen(by: $1) }
    var prefillExpertBytes = 0.0
    var prefillRowJoules = 0.0
    var prefillContextJoules = 0.0
    for number in 0..<cost.layers {
      var layer = LoadedLayer()
      layer.decodes = decode.count * (1 + drafts)
      for s in decode {
        layer.context += seen(by: s) + drafts - missing(s, number)
        if let window = cost.slidingWindow { layer.windowContext += min(seen(by: s), window) + drafts }
      }
      layer.windowContext = min(layer.windowContext, layer.context)
      for s in prefill where layers(of: s).contains(number) {
        layer.rows += alive(s, number).mlp
        layer.attended += attended(s, number)
        if alive(s, number).isScored { layer.scored += alive(s, number).attention }
      }
      step.ticks.append(layer.ticks)
      record.expertBytes += layer.expertBytes
      record.joules += layer.joulesPerRow * Double(layer.decodes + layer.rows)
      record.joules += layer.joulesPerEntry * Double(layer.context + layer.attended)
      prefillExpertBytes += layer.expertBytes - layer.decodeExpertBytes
      prefillRowJoules += layer.joulesPerRow * Double(layer.rows)
      prefillContextJoules += layer.joulesPerEntry * Double(layer.attended)
      for s in decode {
        s.expertBytes += layer.decodeExpertBytes / Double(decode.count)
        s.joules += layer.joulesPerRow * Double(1 + drafts)
        s.joules += layer.joulesPerEntry * Double(layer.context * seen(by: s)) / Double(lengths)
      }
    }
    func area(_ s: Sequence) -> Int {
      layers(of: s).reduce(0) { $0 + alive(s, $1).attention + alive(s, $1).mlp }
    }
    func pairs(_ s: Sequence) -> Int { layers(of: s).reduce(0) { $0 + attended(s, $1) } }
    for s in prefill {
      let share = Double(area(s)) / Double(prefill.reduce(0) { $0 + area($1) })
      s.expertBytes += prefillExpertBytes * share
      s.joules += prefillRowJoules * share
      s.joules += prefillContextJoules * Double(pairs(s)) / Double(prefill.reduce(0) { $0 + pairs($1) })
    }

    step.through = prefill.filter { layers(of: $0).upperBound == cost.layers }
    let finishing = step.through.filter { $0.done + $0.todo == $0.length }
    step.finishing = finishing
    record.outputs = decode.count + finishing.count
    step.beside = LoadedCost.ticksBeside(
      decodes: decode.count, prompts: prefill.count, finishing: finishing.count, rows: record.rows,
      entering: record.layers.lowerBound == 0 ? prefill.reduce(0) { $0 + $1.todo } : 0,
      isPartial: prefill.contains { layers(of: $0).count < cost.layers })
    if let rule = retention {
      var load = RetentionLoad()
      load.compacting = decode.count { seen(by: $0) > rule.budget }
      load.narrowed = decode.count { $0.hasEvicted }
      load.evictingPrompts = finishing.count { $0.length > rule.budget }
      step.beside += LoadedCost.ticks(of: load)
    }
    step.record = record
    return step
  }

  /// Prompts are where the iteration takes them.
  func movePrompts(_ step: Step) {
    for s in step.through {
      if !s.alive.isEmpty {
        if s.entries.isEmpty { s.entries = Array(repeating: 0, count: cost.layers) }
        for layer in 0..<cost.layers { s.entries[layer] += s.alive[layer].attention }
      }
      s.done += s.todo
      s.prefilled = s.done
    }
    if !step.through.isEmpty { cohort = [] }
    prefilling.removeAll { s in step.finishing.contains { $0 === s } }
  }

  /// Tokens of an iteration are out; returns how many sequences completed.
  func finish(_ step: Step) -> Int {
    let (decode, finishing) = (step.decode, step.finishing)
    var record = step.record
    now = record.end
    var completed = 0
    for s in decode { evict(s, from: s.keptEntries + 1) }
    for s in finishing where retention != nil {
      s.keptEntries = min(s.length, retention?.budget ?? 0)
      returnBlocks(of: s)
    }
    for s in finishing { s.tokenTimes.append(now) }
    for s in decode {
      s.tokenTimes.append(now)
      let written = s.tokenTimes.count
      let accepted = speculation?.accepted(request: s.id, written: written) ?? 0
      for _ in 0..<min(accepted, s.output - written) {
        s.tokenTimes.append(now)
        record.outputs += 1
      }
    }
    iterations.append(record)
    for s in finishing + decode {
      if s.tokenTimes.count == s.output {
        freeBlocks += s.blocks
        s.blocks = 0
        completed += 1
      }
    }
    decoding += finishing
    decoding.removeAll { $0.tokenTimes.count == $0.output }
    return completed
  }
}
