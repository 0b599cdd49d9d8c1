import Serving

/// Prompts of a batch in groups that share a beginning: the prefix tree of BatchLLM (arXiv 2412.03594), folded to one level.
///
/// All prompts are known. Each is a leaf of a tree of what they begin with. From its leaves up, a node v below a node u is moved
/// beside u, with the tokens of both, if that saves tokens: those of v are then computed once for its w leaves, and those of u once
/// more,
///
///     gain = (w - 1) len(v) - len(u)
///
/// and else its leaves become leaves of u, each with the tokens of v. What is left below the root are the groups: a shared prefix
/// and distinct rests. Groups that write much for each token that they read come first, so that decoding is under way when
/// long prompts come; how much requests write must be known.
public struct PrefixPlan: Sendable, Hashable {
  /// Requests that share a beginning.
  public struct Group: Sendable, Hashable {
    /// Tokens that all of its prompts begin with; 0 for a single one.
    public var prefix: Tokens
    /// Places of its requests, in their order.
    public var members: [Int]
  }

  /// The groups in the order in which they are to run.
  public private(set) var groups: [Group] = []
  /// Tokens of all prompts.
  public let promptTokens: Tokens

  /// Makes the plan of a batch.
  ///
  /// - Parameters:
  ///   - requests: the batch; a prompt shares what it has in common with others by whole pieces of its content.
  ///   - contents: what prompts begin with.
  /// - Complexity: O(pieces of all prompts).
  public init(_ requests: [Request], contents: PromptContents) {
    promptTokens = requests.reduce(0) { $0 + $1.promptTokens }
    var tree = PrefixTree()
    for (place, request) in requests.enumerated() { tree.add(contents.pieces(of: request), leaf: place) }
    groups = tree.folded().map {
      Group(prefix: $0.members.count > 1 ? $0.length : 0, members: $0.members.sorted())
    }
    func share(_ group: Group) -> Double {
      let written = group.members.reduce(0) { $0 + requests[$1].outputTokens }
      return Double(written) / Double(Self.computed(group, requests))
    }
    let shares = groups.map(share)
    let order = groups.indices.sorted {
      (-shares[$0], groups[$0].members[0]) < (-shares[$1], groups[$1].members[0])
    }
    groups = order.map { groups[$0] }
    computedTokens = groups.reduce(0) { $0 + Self.computed($1, requests) }
  }

  /// Prompt tokens that are computed if each group's prefix is computed once.
  public private(set) var computedTokens: Tokens = 0

  /// Share of the prompt tokens that need not be computed.
  public var saving: Double { 1 - Double(computedTokens) / Double(max(promptTokens, 1)) }

  /// The batch in the order of the plan, everything at time 0: each group begins with a request for its prefix that writes one
  /// token, so that the prefix is there when its members are looked at.
  ///
  /// - Parameter requests: those that the plan was made of.
  /// - Returns: the requests; those for prefixes have numbers behind all others.
  public func requests(_ requests: [Request]) -> [Request] {
    var last = requests.reduce(-1) { max($0, $1.id) }
    return groups.flatMap { group in
      var members = group.members.map { requests[$0] }
      if group.prefix > 0 {
        var lead = members[0]
        last += 1
        (lead.id, lead.promptTokens, lead.outputTokens) = (last, group.prefix, 1)
        members.insert(lead, at: 0)
      }
      for i in members.indices { members[i].arrival = 0 }
      return members
    }
  }

  private static func computed(_ group: Group, _ requests: [Request]) -> Tokens {
    group.members.reduce(group.prefix) { $0 + requests[$1].promptTokens - group.prefix }
  }
}

/// The tree of what prompts begin with.
struct PrefixTree {
  /// What a node comes to once it is folded: tokens, and the prompts that begin with them.
  struct Folded {
    var length: Tokens
    var members: [Int]
    /// Whether it is a single prompt that ends there.
    var isLeaf: Bool
  }

  private struct Edge: Hashable {
    var node: Int
    var source: Int
    var end: Tokens
  }

  private var lengths = [0]
  private var children: [[Int]] = [[]]
  private var leaves: [[Int]] = [[]]
  private var edges: [Edge: Int] = [:]

  /// Adds a prompt.
  mutating func add(_ pieces: [(source: Int, end: Tokens)], leaf: Int) {
    var (node, begin) = (0, 0)
    for piece in pieces {
      let edge = Edge(node: node, source: piece.source, end: piece.end)
      if let known = edges[edge] {
        node = known
      } else {
        lengths.append(piece.end - begin)
        children.append([])
        leaves.append([])
        children[node].append(lengths.count - 1)
        node = lengths.count - 1
        edges[edge] = node
      }
      begin = piece.end
    }
    leaves[node].append(leaf)
  }

  /// What is left below the root.
  func folded() -> [Folded] {
    // Children have larger numbers than their parents: from the last node on, all below a node are folded before it.
    var results: [[Folded]] = Array(repeating: [], count: lengths.count)
    for node in lengths.indices.reversed() {
      var below = leaves[node].map { Folded(length: 0, members: [$0], isLeaf: true) }
      for child in children[node] {
        below += results[child]
        results[child] = []
      }
      results[node] = node == 0 ? below : Self.fold(below, length: lengths[node])
    }
    return results[0]
  }

  /// Folds a node: what takes its place among its parent's children.
  private static func fold(_ below: [Folded], length: Tokens) -> [Folded] {
    var node = Folded(length: length, members: [], isLeaf: false)
    var beside: [Folded] = []
    var left = below.count
    for child in below {
      if below.count == 1 || left == 1 && node.members.isEmpty {
        // The only one that is left is merged.
        beside.append(Folded(length: length + child.length, members: child.members, isLeaf: child.isLeaf))
        return beside
      }
      let gain = (child.members.count - 1) * child.length - length
      if !child.isLeaf, gain > 0 {
        beside.append(Folded(length: length + child.length, members: child.members, isLeaf: false))
        left -= 1
      } else {
        node.members += child.members
      }
    }
    if node.members.count == 1 { node.isLeaf = true }
    return beside + [node]
  }
}
