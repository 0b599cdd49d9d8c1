import Foundation
import Policies
import Serving
import Support

/// A schedule that vLLM's own scheduler made: settings, requests, what each step ran, and how each request fared.
///
/// A step takes one unit of time. `NAME.json` has the settings, `NAME.requests.csv` the requests, `NAME.steps.csv` the
/// steps, and `NAME.outcomes.csv`, which may be missing, the outcomes.
package struct ScheduleScenario: Sendable {
  /// How a request fared.
  package struct Outcome: Sendable, Hashable {
    package var cached: Int
    package var preemptions: Int
    package var scheduled: Int
    package var firstToken: Int
    package var finished: Int

    package init(cached: Int, preemptions: Int, scheduled: Int, firstToken: Int, finished: Int) {
      self.cached = cached
      self.preemptions = preemptions
      self.scheduled = scheduled
      self.firstToken = firstToken
      self.finished = finished
    }
  }

  /// Its name: the files' without what follows the first dot.
  package let name: String
  /// The budget, and the limits on long prompts.
  package let scheduler: VLLMScheduling
  /// How the engine looks after requests and memory.
  package let rules: EngineRules
  /// KV memory, without the null block.
  package let memory: KVMemory
  /// Most requests that run.
  package let maxSequences: Int
  /// What memory contains; `nil` without prefix caching.
  package let cache: PrefixCache?
  /// The requests, in order of arrival.
  package let requests: [Request]
  /// What each step ran, in order of requests.
  package let steps: [[StepRow]]
  /// How each request fared; `nil` if that is not recorded.
  package let outcomes: [Outcome]?

  /// Names of the scenarios of a folder, in order.
  package static func names(in folder: String) throws(ScheduleError) -> [String] {
    guard let files = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw .unreadable(path: folder)
    }
    let suffix = ".requests.csv"
    let names = files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
    guard !names.isEmpty else { throw .empty(folder: folder) }
    return names.sorted()
  }

  /// Reads a scenario.
  ///
  /// - Throws: a `UserError`.
  package init(_ name: String, in folder: String) throws {
    self.name = name
    let settings = try JSONReader.object(path: "\(folder)/\(name).json")
    let positive = 1...Int(1 << 30)
    scheduler = VLLMScheduling(
      budget: try settings.integer("budget", in: positive),
      longPrompt: try settings.optionalInteger("long_prefill_token_threshold", in: 0...1 << 30) ?? 0,
      isAdaptive: try settings.optionalFlag("long_prefill_adaptive") ?? false)
    maxSequences = try settings.integer("max_num_seqs", in: positive)
    var rules = EngineRules()
    rules.order = .byAdmission
    rules.stepsInFlight = try settings.word("mode", ["sync", "async"], default: "sync") == "async" ? 2 : 1
    rules.queue =
      try settings.word("policy", ["fcfs", "priority"], default: "fcfs") == "priority"
      ? .priority : .firstComeFirstServed
    rules.watermark = try settings.optionalNumber("watermark", in: 0...1) ?? 0
    rules.reservesWholePrompt = try settings.optionalFlag("reserve_full_isl") ?? true
    rules.nullBlocks = 1
    rules.slidingWindow = try settings.optionalInteger("sliding_window", in: 0...1 << 30) ?? 0
    rules.tokensInFlight = rules.stepsInFlight * (try settings.integer("budget", in: positive))
    self.rules = rules
    memory = KVMemory(
      blocks: try settings.integer("num_blocks", in: 2...1 << 24) - 1,
      blockSize: try settings.optionalInteger("block_size", in: 1...65_536) ?? 16)
    var streams = PromptStreams()
    requests = try Self.requests("\(folder)/\(name).requests.csv", &streams)
    cache =
      try settings.optionalFlag("prefix_caching") ?? false
      ? PrefixCache(
        memory: memory, contents: streams.contents,
        window: rules.slidingWindow > 0 ? rules.slidingWindow : nil) : nil
    steps = try Self.steps("\(folder)/\(name).steps.csv")
    let outcomes = "\(folder)/\(name).outcomes.csv"
    self.outcomes = FileManager.default.fileExists(atPath: outcomes) ? try Self.outcomes(outcomes) : nil
    if let count = self.outcomes?.count, count != requests.count {
      throw ScheduleError.invalid(
        file: outcomes, field: "rows", value: "\(count)",
        expected: "one for each of \(requests.count) requests")
    }
  }

  private static func table(_ path: String) throws -> CSVReader {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ScheduleError.unreadable(path: path)
    }
    return try CSVReader(Array(data), file: path)
  }

  private static func requests(_ path: String, _ streams: inout PromptStreams) throws -> [Request] {
    var table = try table(path)
    let (id, arrival) = (try table.column("id"), try table.column("arrived_at"))
    let (prompt, output) = (try table.column("prompt_tokens"), try table.column("output_tokens"))
    let priority = table.firstColumn("priority")
    let stream = table.firstColumn("stream")
    let (with, shared) = (table.firstColumn("shared_with"), table.firstColumn("shared_tokens"))
    var requests: [Request] = []
    while try table.next() {
      guard try table.integer(id) == requests.count else {
        throw table.invalid(id, expected: "\(requests.count), the number of rows before")
      }
      var request = Request(
        id: requests.count, arrival: try table.number(arrival),
        promptTokens: try table.integer(prompt, in: 1...1 << 30),
        outputTokens: try table.integer(output, in: 1...1 << 30))
      if let priority { request.priority = try table.integer(priority, in: -1_000_000...1_000_000) }
      if let stream {
        let own = try table.integer(stream, in: 0...1 << 30)
        if let with, let shared {
          let other = try table.integer(with, in: -1...1 << 30)
          if other >= 0, other != own {
            streams.share(own, with: other, tokens: try table.integer(shared, in: 0...1 << 30))
          }
        }
        request.content = streams.content(of: own)
      }
      requests.append(request)
    }
    return requests.enumerated()
      .sorted { ($0.element.arrival, $0.offset) < ($1.element.arrival, $1.offset) }.map(\.element)
  }

  private static func steps(_ path: String) throws -> [[StepRow]] {
    var table = try table(path)
    let (first, last) = (try table.column("first_step"), try table.column("last_step"))
    let (request, tokens) = (try table.column("request"), try table.column("tokens"))
    let before = try table.column("computed_before")
    var steps: [[StepRow]] = []
    // A million steps, and ten million shares of requests in them, are far more than any recording has.
    let lastOfAll = 999_999
    var left = 10_000_000
    while try table.next() {
      let from = try table.integer(first, in: 0...lastOfAll)
      let to = try table.integer(last, in: from...max(from, min(lastOfAll, from + left)))
      left -= to - from + 1
      let count = try table.integer(tokens, in: 1...1 << 30)
      var row = StepRow(request: try table.integer(request), tokens: count, before: try table.integer(before))
      while steps.count <= to { steps.append([]) }
      for step in from...to {
        steps[step].append(row)
        row.before += count
      }
    }
    return steps.map { $0.sorted { $0.request < $1.request } }
  }

  private static func outcomes(_ path: String) throws -> [Outcome] {
    var table = try table(path)
    let columns = try ["cached", "preemptions", "scheduled_t", "first_token_t", "finished_t"].map {
      try table.column($0)
    }
    var outcomes: [Outcome] = []
    while try table.next() {
      let values = try columns.map { try table.integer($0) }
      outcomes.append(
        Outcome(
          cached: values[0], preemptions: values[1], scheduled: values[2], firstToken: values[3],
          finished: values[4]))
    }
    return outcomes
  }
}

extension JSONObject {
  /// A member that is one of several words.
  fileprivate func word(_ field: String, _ words: [String], default fallback: String) throws -> String {
    let word = try optionalText(field) ?? fallback
    guard words.contains(word) else {
      throw ScheduleError.invalid(
        file: file, field: place(field), value: word, expected: words.joined(separator: " or "))
    }
    return word
  }
}
