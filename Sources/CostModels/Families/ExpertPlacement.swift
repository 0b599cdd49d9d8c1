import Glibc

/// Where the experts of a layer are put so that ranks have equal work: the load balancer of DeepSeek's expert parallelism
/// (EPLB, github.com/deepseek-ai/EPLB), which vLLM's `--enable-eplb` runs.
///
/// The most loaded experts get copies, one after another, each to the expert whose copies have most to do. Then all copies,
/// the most loaded first, go to the rank with the least work that has room. Loads of skewed routing are those of an
/// exponential distribution, as everywhere here; they are taken as known and steady, so that what is left of imbalance is that
/// of the placement and of chance.
public struct ExpertPlacement: Sendable, Hashable {
  /// Copies beyond one of each expert.
  public let redundant: Int
  /// What the busiest rank has to do, over the mean of all ranks, where routing is skewed.
  public let busiest: Double

  /// Places experts.
  ///
  /// - Parameters:
  ///   - experts: in the layer.
  ///   - ranks: that share them out, a divisor of experts and copies.
  ///   - redundant: further copies.
  /// - Complexity: O((experts + redundant)^2).
  public init(experts: Int, ranks: Int, redundant: Int) {
    precondition(
      ranks > 0 && (experts + redundant).isMultiple(of: ranks), "ranks have room for equal numbers")
    self.redundant = redundant
    let loads = (0..<experts).map { -log(1 - (Double($0) + 0.5) / Double(experts)) }
    var copies = Array(repeating: 1, count: experts)
    for _ in 0..<redundant {
      let most = loads.indices.max { loads[$0] / Double(copies[$0]) < loads[$1] / Double(copies[$1]) }
      if let most { copies[most] += 1 }
    }
    let parts = loads.indices.flatMap {
      Array(repeating: loads[$0] / Double(copies[$0]), count: copies[$0])
    }
    var work = Array(repeating: 0.0, count: ranks)
    var room = Array(repeating: parts.count / ranks, count: ranks)
    for part in parts.sorted(by: >) {
      guard let rank = work.indices.filter({ room[$0] > 0 }).min(by: { work[$0] < work[$1] }) else { break }
      work[rank] += part
      room[rank] -= 1
    }
    let sum = work.reduce(0, +)
    busiest = sum > 0 ? (work.max() ?? 0) * Double(ranks) / sum : 1
  }
}
