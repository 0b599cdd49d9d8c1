import Serving

/// vLLM's scheduler and block pool, written down as plainly as can be.
///
/// Queues are arrays, every block is an object, and
/// every request is visited at every step. A step takes one unit of time.
///
/// It is equal to vLLM 0.33 in all recorded schedules, and shares nothing with the engine.
final class NaiveVLLM {
  struct Rules {
    var budget = 8192
    var maxSequences = 1024
    /// The null block included.
    var blocks = 0
    var blockSize = 16
    var caching = false
    var priority = false
    var threshold = 0
    var adaptive = false
    var watermark = 0.0
    var reservesWhole = true
    /// A second group of blocks sees so many tokens; 0 for none.
    var window = 0
    var inFlight = 1
    /// Drafts of each decoding sequence are verified beside its newest token.
    var speculation: Speculation?
    var drafts: Int { speculation?.rates.count ?? 0 }
    var longest: Int { (blocks - 1) * blockSize }
  }

  struct Key: Hashable {
    var group: Int
    var stream: Int
    var block: Int
  }

  final class Block {
    var refs = 0
    var key: Key?
    let isNull: Bool
    init(isNull: Bool = false) { self.isNull = isNull }
  }

  final class Sequence {
    let id, prompt, output, priority, stream: Int; let arrival: Double
    var read = 0, computed = 0, holders = 0, inFlightTokens = 0
    var isDecoding = false
    var tables: [[Block]] = []
    var registered = 0
    var preemptions = 0, cached = -1
    var scheduledAt = Double.nan, first = Double.nan, finished = Double.nan
    var isRunning = false
    init(_ id: Int, _ arrival: Double, _ prompt: Int, _ output: Int, _ priority: Int, _ stream: Int) {
      (self.id, self.arrival, self.prompt, self.output, self.priority, self.stream) = (
        id, arrival, prompt, output, priority, stream
      )
    }
    var known: Int { prompt + read }
  }
  /// What runs: a sequence, its rows, what is computed before, the tokens that it moves on by, and those that it writes.
  struct Batch { var rows: [(Sequence, Int, Int, Int, Int)] = []; var start = 0.0 }

  let r: Rules
  let null = Block(isNull: true)
  var free: [Block]
  var map: [Key: [Block]] = [:]
  var waiting: [Sequence] = [], running: [Sequence] = []
  var sharing: [Int: (Int, Int)] = [:]
  var now = 0.0
  /// Two requests may take each other's memory for ever: then the run is given up.
  static let mostCalls = 100_000
  var calls = 0
  var isEndless: Bool { calls >= Self.mostCalls }
  var steps: [(Double, [(Int, Int, Int)])] = []
  init(_ r: Rules) { self.r = r; free = (1..<r.blocks).map { _ in Block() } }

  func key(_ group: Int, _ stream: Int, _ block: Int) -> Key {
    var s = stream
    while let (other, tokens) = sharing[s], r.blockSize * (block + 1) <= tokens { s = other }
    return Key(group: group, stream: s, block: block)
  }
  var groups: Int { r.window > 0 ? 2 : 1 }
  func blocks(_ n: Int) -> Int { (n + r.blockSize - 1) / r.blockSize }
  func skipped(_ group: Int, _ tokens: Int) -> Int {
    group == 1 ? max(0, tokens - r.window + 1) / r.blockSize : 0
  }

  func pop() -> Block {
    let b = free.removeFirst()
    if let k = b.key {
      map[k]?.removeAll { $0 === b }
      if map[k]?.isEmpty ?? true { map[k] = nil }
      b.key = nil
    }
    b.refs = 1
    return b
  }
  func release(_ blocks: [Block]) {  // in table order
    for b in blocks.reversed() where !b.isNull {
      b.refs -= 1
      if b.refs == 0 { if b.key == nil { free.insert(b, at: 0) } else { free.append(b) } }
    }
  }
  func lookup(_ q: Sequence) -> [[Block]] {
    guard r.caching else { return Array(repeating: [], count: groups) }
    let most = (q.known - 1) / r.blockSize
    var full: [Block] = []
    while full.count < most, let b = map[key(0, q.stream, full.count)]?.first { full.append(b) }
    guard groups == 2 else { return [full] }
    let need = (r.window - 1 + r.blockSize - 1) / r.blockSize
    var table = Array(repeating: null, count: full.count)
    var run = 0, found = false
    for i in stride(from: full.count - 1, through: 0, by: -1) {
      if let b = map[key(1, q.stream, i)]?.first {
        table[i] = b; run += 1
        if run >= need { table.removeLast(table.count - i - run); found = true; break }
      } else {
        run = 0
      }
    }
    if !found { table.removeLast(table.count - run) }
    return [Array(full[..<table.count]), table]
  }
  /// Blocks that are needed of the free queue for so many tokens.
  func needed(_ q: Sequence, _ tokens: Int, hits: [[Block]], cap: Bool) -> Int {
    var total = 0
    for g in 0..<groups {
      let held = q.isRunning ? q.tables[g].count : hits[g].count
      var required = blocks(tokens)
      if g == 1, cap { required = min(required, blocks(r.window - 1 + r.inFlight * r.budget) + 1) }
      total += max(0, required - held)
      if !q.isRunning { total += hits[g].filter { !$0.isNull && $0.refs == 0 }.count }
    }
    return total
  }
  func take(_ q: Sequence, _ new: Int) {
    for g in 0..<groups { while q.tables[g].count < blocks(slots(q, new)) { q.tables[g].append(pop()) } }
    register(q, min(q.computed + new, q.known))
  }
  /// Slots that a sequence has once its next rows are planned; with drafts, those of the next ones are reserved.
  func slots(_ q: Sequence, _ new: Int) -> Int {
    q.isDecoding
      ? min(q.computed + 1 + r.drafts + (r.speculation?.lookahead ?? 0), max(q.computed + 1, r.longest))
      : q.computed + new
  }
  func register(_ q: Sequence, _ tokens: Int) {
    guard r.caching else { return }
    while (q.registered + 1) * r.blockSize <= tokens {
      for g in 0..<groups {
        let b = q.tables[g][q.registered]
        if !b.isNull, b.key == nil {
          let k = key(g, q.stream, q.registered); b.key = k; map[k, default: []].append(b)
        }
      }
      q.registered += 1
    }
  }
  func dropSkipped(_ q: Sequence) {
    guard groups == 2 else { return }
    let n = min(skipped(1, q.computed - q.inFlightTokens), q.tables[1].count)
    var dropped: [Block] = []
    for i in 0..<n where !q.tables[1][i].isNull { dropped.append(q.tables[1][i]); q.tables[1][i] = null }
    release(dropped)
  }
  /// The last one; by priority, the first of those with the largest.
  func victimPlace() -> Int? {
    guard r.priority else { return running.indices.last }
    guard let worst = running.map({ ($0.priority, $0.arrival) }).max(by: { $0 < $1 }) else { return nil }
    return running.firstIndex { ($0.priority, $0.arrival) == worst }
  }
  func comesBefore(_ a: Sequence, _ b: Sequence) -> Bool {
    (a.priority, a.arrival, a.id) < (b.priority, b.arrival, b.id)
  }
  func enqueue(_ q: Sequence, atHead: Bool = false) {
    if r.priority {
      waiting.insert(q, at: waiting.firstIndex { comesBefore(q, $0) } ?? waiting.count)
    } else if atHead {
      waiting.insert(q, at: 0)
    } else {
      waiting.append(q)
    }
  }
  func preempt(_ q: Sequence) {
    running.removeAll { $0 === q }
    // vLLM frees the groups one after another
    for g in 0..<groups { release(q.tables[g]) }
    q.tables = []; q.computed = 0; q.registered = 0; q.isRunning = false; q.preemptions += 1;
    q.inFlightTokens = 0; q.isDecoding = false
    enqueue(q, atHead: true)
  }

  func schedule() -> (Batch, Int) {
    var left = r.budget
    var got: [(Sequence, Int, Int, Int, Int)] = []
    var preempted = 0
    let inSystem = running.count + waiting.count
    var cap = r.threshold > 0 && inSystem > 1 ? r.threshold : .max
    if cap < .max, r.adaptive { cap = max(cap, r.budget / inSystem) }
    var i = 0
    scan: while i < running.count, left > 0 {
      let q = running[i]
      if q.holders > 0, q.computed + 1 >= q.prompt + q.output { i += 1; continue }
      // All drafts are verified, or the sequence waits.
      let rows = 1 + r.drafts
      let n = q.isDecoding ? (rows <= left ? rows : 0) : min(q.known + q.holders - q.computed, cap, left)
      if n == 0 { i += 1; continue }
      dropSkipped(q)
      var ok = true
      while needed(q, slots(q, n), hits: [], cap: false) > free.count {
        guard let place = victimPlace() else { break scan }
        let v = running[place]
        if let g = got.firstIndex(where: { $0.0 === v }) { left += got[g].1; got.remove(at: g) }
        preempt(v); preempted += 1
        if v === q {
          if r.priority { ok = false; break }
          break scan
        }
        if place < i { i -= 1 }
      }
      guard ok else { continue }
      take(q, n)
      got.append((q, n, q.computed, 0, 0))
      left -= n
      i += 1
    }
    if preempted == 0 {
      while let q = waiting.first, left > 0, running.count < r.maxSequences {
        let hits = lookup(q)
        let cached = hits[0].count * r.blockSize
        let n = min(q.known - cached, cap, left)
        let reserve = running.isEmpty ? 0 : Int(r.watermark * Double(r.blocks))
        if r.reservesWhole, needed(q, q.known, hits: hits, cap: true) > free.count - reserve { break }
        if needed(q, cached + n, hits: hits, cap: false) > free.count - reserve { break }
        for b in hits.joined() where !b.isNull {
          if b.refs == 0 { free.removeAll { $0 === b } }
          b.refs += 1
        }
        q.tables = hits
        q.computed = cached
        q.registered = hits[0].count
        if q.cached < 0 { q.cached = cached }
        take(q, n)
        waiting.removeFirst()
        running.append(q)
        q.isRunning = true
        got.append((q, n, cached, 0, 0))
        left -= n
      }
    }
    for j in got.indices {
      let q = got[j].0
      got[j].3 = got[j].1
      if q.isDecoding {
        let written = q.read + q.holders + 1
        let accepted = r.speculation?.accepted(request: q.id, written: written) ?? 0
        got[j].4 = 1 + min(accepted, q.output - written)
        got[j].3 = got[j].4
      }
      q.computed += got[j].3
      q.inFlightTokens += got[j].3
      if !q.isDecoding, q.computed == q.known + q.holders {
        got[j].4 = 1
        q.isDecoding = true
      }
      q.holders += got[j].4
    }
    return (Batch(rows: got), preempted)
  }
  func update(_ b: Batch, at t: Double) {
    var ended: [Sequence] = []
    for (q, _, _, moved, written) in b.rows {
      if q.isRunning { q.inFlightTokens -= moved }
      guard written > 0 else { continue }
      q.read += written
      q.holders -= written
      if q.first.isNaN { q.first = t }
      if q.isRunning, r.inFlight > 1 { register(q, q.computed - q.holders) }
      if q.read == q.output { q.finished = t; ended.append(q) }
    }
    for q in ended {
      for g in q.tables.indices { release(q.tables[g]) }
      q.tables = []
      running.removeAll { $0 === q }
      waiting.removeAll { $0 === q }
    }
  }
  func run(_ requests: [Sequence]) {
    var upcoming = requests[...]
    var flights: [Batch] = []
    var lastEnd = 0.0
    while calls < Self.mostCalls {
      while let q = upcoming.first, q.arrival <= now { upcoming.removeFirst(); enqueue(q) }
      while flights.count < r.inFlight, calls < Self.mostCalls {
        calls += 1
        var (b, preempted) = schedule()
        if b.rows.isEmpty { if preempted > 0, flights.isEmpty { continue }; break }
        b.start = max(now, lastEnd)
        lastEnd = b.start + 1
        for (q, _, _, _, _) in b.rows where q.scheduledAt.isNaN { q.scheduledAt = b.start }
        steps.append((b.start, b.rows.map { ($0.0.id, $0.1, $0.2) }))
        flights.append(b)
      }
      if flights.isEmpty {
        guard let q = upcoming.first else { return }
        now = q.arrival
        continue
      }
      let b = flights.removeFirst()
      now = b.start + 1
      update(b, at: now)
    }
  }
}
