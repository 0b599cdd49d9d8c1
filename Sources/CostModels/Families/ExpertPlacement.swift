import Glibc
import Statistics

/// Where the experts of a layer are put so that ranks have equal work: the load balancer of DeepSeek's expert parallelism
/// (EPLB, github.com/deepseek-ai/EPLB), which vLLM's `--enable-eplb` runs.
///
/// The most loaded experts get copies, one after another, each to the expert whose copies have most to do. Then all copies,
/// the most loaded first, go to the rank with the least work that has room. Loads are taken as known and steady, so that what is
/// left of imbalance is that of the placement and of chance.
public struct ExpertPlacement: Sendable, Hashable {
  /// Copies beyond one of each expert.
  public let redundant: Int
  /// What the busiest rank has to do, over the mean of all ranks, where routing is skewed.
  public let busiest: Double

  /// Places experts whose loads are those of an exponential distribution: close to the power laws of measured tables.
  ///
  /// - Parameters:
  ///   - experts: in the layer.
  ///   - ranks: that share them out, a divisor of experts and copies.
  ///   - redundant: further copies.
  /// - Complexity: O((experts + redundant)^2).
  public init(experts: Int, ranks: Int, redundant: Int) {
    self.init(
      loads: (0..<experts).map { -log(1 - (Double($0) + 0.5) / Double(experts)) }, ranks: ranks,
      redundant: redundant)
  }

  /// Places experts.
  ///
  /// - Parameters:
  ///   - loads: of each expert, in any unit.
  ///   - ranks: that share them out, a divisor of experts and copies.
  ///   - redundant: further copies.
  /// - Complexity: O((experts + redundant)^2).
  public init(loads: [Double], ranks: Int, redundant: Int) {
    let experts = loads.count
    precondition(
      ranks > 0 && (experts + redundant).isMultiple(of: ranks), "ranks have room for equal numbers")
    self.redundant = redundant
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

  /// Random placements that ``busiest(ofShuffled:ranks:)`` is the mean of.
  public static let shuffles = 1024

  /// What the busiest rank has to do, over the mean of all ranks, where each has the next experts by their numbers.
  static func busiest(of loads: [Double], ranks: Int) -> Double {
    let size = loads.count / ranks
    let work = (0..<ranks).map { loads[$0 * size..<($0 + 1) * size].reduce(0, +) }
    let sum = work.reduce(0, +)
    return sum > 0 ? (work.max() ?? 0) * Double(ranks) / sum : 1
  }

  /// The same in the mean over random orders of the experts, always the same ones.
  static func busiest(ofShuffled loads: [Double], ranks: Int) -> Double {
    var generator = SplitMix64(seed: 0)
    var loads = loads
    var sum = 0.0
    for _ in 0..<shuffles {
      for last in stride(from: loads.count - 1, to: 0, by: -1) {
        loads.swapAt(last, generator.index(below: last + 1))
      }
      sum += busiest(of: loads, ranks: ranks)
    }
    return sum / Double(shuffles)
  }
}
