import Serving

/// The requests of a run, in order of arrival.
///
/// A workload is a recipe: iterating over it makes each request when it is asked for, in constant memory for
/// length models and in the memory of the file's rows for traces, and gives the same requests each time.
/// `Array(workload)` has them all at once. Lengths and arrivals come from streams of their own, so that a change
/// of one leaves the other as it was; nothing depends on the policy.
public struct Workload: Sendable, Sequence {
  /// What it is called: the shipped trace's name, or the file's.
  public let name: String
  /// What lengths come from, and arrivals if they are the trace's own.
  public let source: TraceFile
  /// When requests arrive.
  public let arrivals: ArrivalProcess
  /// How many requests there are; at least 1.
  ///
  /// Rows of a trace are used in turn, from the first one again once
  /// all are used up; own arrivals then go on after the last one, one mean gap later.
  public let count: Int
  /// The seed of all streams.
  public let seed: UInt64
  /// Tokens of each prompt that stand for images; one at least of each prompt is text.
  public var imageTokens: Tokens = 0
  /// The classes that requests are of; empty where all are alike.
  public var classes: [RequestClass] = []

  /// Creates the workload of a source that is in memory.
  ///
  /// - Parameters:
  ///   - name: what it is called.
  ///   - source: what lengths come from. Own arrivals must exist if `arrivals` asks for them.
  ///   - arrivals: when requests arrive; rates, shapes and factors above 0 and finite.
  ///   - count: how many requests there are; at least 1.
  ///   - seed: any number.
  public init(name: String, source: TraceFile, arrivals: ArrivalProcess, count: Int, seed: UInt64) {
    precondition(count >= 1, "a workload has at least one request")
    if case .trace = arrivals {
      guard case .trace(let trace) = source, trace.hasArrivals else {
        preconditionFailure("the trace has no arrivals of its own")
      }
    }
    self.name = name
    self.source = source
    self.arrivals = arrivals
    self.count = count
    self.seed = seed
  }

  /// What is odd about the file, in a line each.
  public var warnings: [String] {
    if case .trace(let trace) = source { trace.warnings } else { [] }
  }

  /// SHA-256 of the file, in lower-case hexadecimal digits.
  public var digest: String {
    switch source {
    case .trace(let trace): trace.digest
    case .model(let model): model.digest
    }
  }

  /// Mean lengths in tokens: of the rows of a trace, of the distribution of a length model.
  ///
  /// - Complexity: O(*n*) in the number of rows.
  public var meanTokens: (prompt: Double, output: Double) {
    switch source {
    case .trace(let trace):
      var sum = (prompt: 0, output: 0)
      for row in trace.rows {
        sum.prompt += Int(row.promptTokens)
        sum.output += Int(row.outputTokens)
      }
      return (Double(sum.prompt) / Double(trace.rows.count), Double(sum.output) / Double(trace.rows.count))
    case .model(let model):
      return (model.meanPromptTokens, model.meanOutputTokens)
    }
  }

  /// The greatest sum of prompt and output that may come up, in tokens.
  ///
  /// - Complexity: O(*n*) in the number of rows.
  public var longestRequest: Tokens {
    switch source {
    case .trace(let trace):
      trace.rows.reduce(0) { Swift.max($0, Int($1.promptTokens) + Int($1.outputTokens)) }
    case .model(let model):
      model.longestRequest
    }
  }

  /// The block hashes of a request's prompt; empty if the trace has none.
  ///
  /// Requests that use a row a second time have its hashes again, and stand for other tokens: see ``contents``.
  ///
  /// - Complexity: O(1).
  public func prefixBlocks(ofRequest id: Int) -> ArraySlice<Int> {
    guard case .trace(let trace) = source, let blocks = trace.prefixBlocks else { return [] }
    return blocks[id % blocks.count]
  }

  /// What prompts begin with, as a prefix cache needs it; empty if the trace does not tell.
  ///
  /// Rows that are used a second time share blocks with each other as they did the first time, and none with that.
  ///
  /// - Complexity: O(*n*) in the number of block hashes.
  public var contents: PromptContents {
    guard case .trace(let trace) = source, let blocks = trace.prefixBlocks else { return PromptContents() }
    var contents = PromptContents()
    var sources: [Int: Int] = [:]
    for row in trace.rows.indices {
      let pieces = blocks[row].enumerated().map { place, hash in
        PromptContents.Piece(
          begin: place * blocks.blockTokens, source: Self.number(of: hash, in: &sources))
      }
      _ = contents.append(pieces, length: Int(trace.rows[row].promptTokens))
    }
    return contents
  }

  private static func number(of hash: Int, in numbers: inout [Int: Int]) -> Int {
    if let number = numbers[hash] { return number }
    numbers[hash] = numbers.count
    return numbers.count - 1
  }

  /// Prompt tokens of full blocks that an earlier row begins with, too: what an endless prefix cache would find.
  ///
  /// - Complexity: O(*n*) in the number of block hashes.
  public var repeatedTokens: Int {
    guard case .trace(let trace) = source, let blocks = trace.prefixBlocks else { return 0 }
    var (seen, tokens) = (Set<Int>(), 0)
    for row in trace.rows.indices {
      for hash in blocks[row] where !seen.insert(hash).inserted { tokens += blocks.blockTokens }
    }
    return tokens
  }

  /// The number of requests, which is known.
  public var underestimatedCount: Int { count }

  /// Begins with the first request.
  public func makeIterator() -> RequestIterator { RequestIterator(self) }
}
