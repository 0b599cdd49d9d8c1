import Foundation
import Serving
import Statistics

/// NVIDIA Dynamo's KV router: weighs the prompt that an instance has yet to compute against what it has cached and what it
/// holds.
///
/// For a prompt of L tokens, blocks of B, and instance w with P prompt tokens sent and not yet computed, o blocks of
/// this prompt cached, D blocks held by active prompts and n active requests:
///
///     decay  = 1 / (1 + delta ((P - min P) / B) / ceil(L / B))
///     cost   = scale max(0, (P + L) / B - credit decay o) + D + load n
///
/// At temperature 0 the least cost is taken, equals at random. Otherwise the probability of an instance is proportional to
/// exp(-(cost - min) / ((max - min) temperature)): the temperature is relative to the range of the costs.
///
/// What is cached is the router's own record, entered as a request is sent and kept for some time, which is how Dynamo
/// routes where instances publish no events.
public struct KVRouter: Router {
  /// The weights.
  public struct Rules: Sendable, Hashable {
    /// How much chance there is, relative to the range of the costs.
    public var temperature = 0.0
    /// What a cached block is worth.
    public var credit = 1.0
    /// The weight of the prompt.
    public var scale = 1.0
    /// How fast credit falls where prompts are waiting.
    public var delta = 0.0
    /// What an active request costs.
    public var load = 0.0
    /// How long a prompt is taken for cached after it was sent last.
    public var lifetime: Seconds = 120

    /// Dynamo's defaults.
    public init() {}
  }

  /// A request under way.
  private struct Active: Sendable {
    var instance: Int
    /// Its prompt, until the first token is out; then 0.
    var uncomputed: Tokens
    var prompt: [(source: Int, end: Tokens)]
    /// Blocks that are its own.
    var ownBlocks: Int
  }

  private struct Worker: Sendable {
    var uncomputed: Tokens = 0
    var blocks = 0
    var requests = 0
    var sent = SentPrompts()
    /// Shared pieces of prompts by source: who holds them, and how many blocks they are.
    var held: [Int: (holders: Int, blocks: Int)] = [:]
  }

  /// The weights now: who wraps the router may change them.
  var rules: Rules
  private let contents: PromptContents
  private let blockSize: Int
  private var workers: [Worker]
  private var active: [Int: Active] = [:]
  private var draws: SplitMix64
  private var nextSweep = 1000

  /// Creates the router for some instances with blocks of some tokens.
  public init(
    instances: Int, contents: PromptContents, blockSize: Int, seed: UInt64, rules: Rules = Rules()
  ) {
    self.rules = rules
    self.contents = contents
    self.blockSize = blockSize
    workers = Array(repeating: Worker(), count: instances)
    draws = SplitMix64(seed: seed, purpose: "router")
  }

  /// True: prompts are computed when their first tokens are out.
  public var listens: Bool { true }

  /// An instance by the costs.
  ///
  /// - Complexity: O(instances x pieces of the prompt).
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    let prompt = contents.pieces(of: request)
    let target = choose(among: costs(request, prompt))
    let now = request.arrival
    let blocks = (request.promptTokens + blockSize - 1) / blockSize
    workers[target].sent.note(prompt, at: now)
    workers[target].uncomputed += request.promptTokens
    workers[target].requests += 1
    let shared = hold(prompt, at: target)
    workers[target].blocks += blocks - shared
    active[request.id] = Active(
      instance: target, uncomputed: request.promptTokens, prompt: prompt, ownBlocks: blocks - shared)
    if workers[target].sent.count > nextSweep {
      for i in workers.indices { workers[i].sent.forget(before: now - rules.lifetime) }
      nextSweep = 2 * max(500, workers.map(\.sent.count).max() ?? 0)
    }
    return target
  }

  /// What each instance would cost a request.
  func costs(_ request: Request, _ prompt: [(source: Int, end: Tokens)]) -> [Double] {
    let size = Double(blockSize)
    let length = Double(request.promptTokens)
    let least = workers.map(\.uncomputed).min() ?? 0
    return workers.map { worker in
      let matched = min(
        worker.sent.matched(prompt, since: request.arrival - rules.lifetime), request.promptTokens - 1)
      let ahead = Double(worker.uncomputed - least) / size / (length / size).rounded(.up)
      let credit = rules.credit / (1 + rules.delta * ahead) * Double(matched / blockSize)
      return rules.scale * max(0, (Double(worker.uncomputed) + length) / size - credit)
        + Double(worker.blocks) + rules.load * Double(worker.requests)
    }
  }

  /// The first token is out: the prompt is computed.
  public mutating func noteFirstToken(of request: Int, at time: Seconds) {
    guard let one = active[request] else { return }
    workers[one.instance].uncomputed -= one.uncomputed
    active[request]?.uncomputed = 0
  }

  /// The request's blocks are free.
  public mutating func noteEnd(of request: Int, at time: Seconds) {
    noteFirstToken(of: request, at: time)
    guard let one = active.removeValue(forKey: request) else { return }
    workers[one.instance].requests -= 1
    workers[one.instance].blocks -= one.ownBlocks
    for piece in one.prompt {
      guard var held = workers[one.instance].held[piece.source] else { continue }
      held.holders -= 1
      if held.holders == 0 { workers[one.instance].blocks -= held.blocks }
      workers[one.instance].held[piece.source] = held.holders > 0 ? held : nil
    }
  }

  /// Counts the full blocks of a prompt's pieces, those that an active request holds already once.
  ///
  /// - Returns: how many blocks of the prompt are in pieces.
  private mutating func hold(_ prompt: [(source: Int, end: Tokens)], at worker: Int) -> Int {
    var before = 0
    for piece in prompt {
      let blocks = piece.end / blockSize - before
      before = piece.end / blockSize
      var held = workers[worker].held[piece.source] ?? (0, 0)
      held.holders += 1
      workers[worker].blocks += max(0, blocks - held.blocks)
      held.blocks = max(held.blocks, blocks)
      workers[worker].held[piece.source] = held
    }
    return before
  }

  private mutating func choose(among costs: [Double]) -> Int {
    let chances = Self.probabilities(costs, temperature: rules.temperature)
    var rest = draws.uniform()
    for (i, chance) in chances.enumerated() {
      rest -= chance
      if rest < 0, chance > 0 { return i }
    }
    return chances.lastIndex { $0 > 0 } ?? 0
  }

  /// How likely each instance is to be chosen.
  ///
  /// - Complexity: O(instances).
  public static func probabilities(_ costs: [Double], temperature: Double) -> [Double] {
    guard let least = costs.min(), let most = costs.max() else { return [] }
    let weights = costs.map { cost in
      if most == least { return 1.0 }
      guard temperature > 0 else { return cost == least ? 1 : 0 }
      return exp(-((cost - least) / (most - least)) / temperature)
    }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }
}
