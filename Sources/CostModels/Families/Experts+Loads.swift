import Glibc
import Statistics
import Systems

extension Experts {
  /// The expected number of tiles, each of one expert, that hold all choices.
  ///
  /// For random routing an expert's load is close to a normal distribution whose variance is its mean; for skewed
  /// routing to an exponential one, of which ⌈load / tile⌉ has the expectation 1 / (1 − e^(−tile / mean)).
  ///
  /// - Parameters:
  ///   - choices: Tokens times experts a token.
  ///   - active: Distinct experts that they choose.
  ///   - tileTokens: Tokens that a tile holds.
  ///   - skew: The weight of the exponential distribution, 0 ... 1.
  /// - Returns: Tiles, at least one for each active expert.
  /// - Complexity: O(1); up to about ten terms of a normal distribution.
  public static func expectedTiles(choices: Double, active: Double, tileTokens: Double, skew: Double)
    -> Double
  {
    guard choices > 0, active > 0 else { return 0 }
    let mean = choices / active
    var tiles = 1.0
    if skew < 1 {
      // Σ over j ≥ 1 of the probability that the load exceeds j tiles; beyond ±4 deviations it is 1 or 0.
      let deviation = mean.squareRoot()
      let sure = max(0, ((mean - 4 * deviation) / tileTokens).rounded(.down))
      tiles += sure
      var edge = (sure + 1) * tileTokens
      while edge < mean + 4 * deviation {
        tiles += 0.5 * erfc((edge + 0.5 - mean) / (deviation * 2.0.squareRoot()))
        edge += tileTokens
      }
    }
    if skew > 0 { tiles += skew * (1 / -expm1(-tileTokens / mean) - tiles) }
    return active * tiles
  }

  /// What the busiest of the ranks that share out the experts has to do: all others wait for it.
  ///
  /// A rank's choices spread by chance, with the variance of ``variancePerRow(_:)``, and because some experts are more popular
  /// than others: as far as ``Work/imbalance`` says, else like exponential loads, or what a balancer leaves of them. The
  /// busiest of some ranks lies about ``expectedMaximum(of:)`` standard deviations above the mean. Its distinct experts are a
  /// draw of all that are chosen; groups of experts widen the spread of both alike. A balancer's copies of an expert
  /// are as likely to be chosen as the expert was, which takes the busiest rank longer where choices are few. Bytes that runs report
  /// are those of distinct experts, without copies.
  static func busiestRank(_ shape: Shape, _ work: Work) -> (choices: Double, active: Double) {
    let choices = work.rows * Double(shape.topK)
    guard shape.ranks > 1 else { return (choices, work.active) }
    let ranks = Double(shape.ranks)
    let experts = Double(shape.experts)
    let above = expectedMaximum(of: shape.ranks)
    let copies = experts + Double(shape.placement?.redundant ?? 0)
    let chosen = min(work.active * copies / experts, max(work.active, choices))
    let perRow = variancePerRow(shape)
    let byChance = work.rows * perRow * (ranks / choices) * (ranks / choices)
    let exponential = shape.placement.map { ($0.busiest - 1) / above } ?? (ranks / experts).squareRoot()
    let byLoads = work.imbalance.map { $0 / above } ?? work.skew * exponential
    let most = min(choices, choices / ranks * (1 + above * (byChance + byLoads * byLoads).squareRoot()))
    let grouped = shape.groups == nil ? 1 : perRow / freeVariancePerRow(shape)
    let spread = chosen / ranks * (1 - 1 / ranks) * max(0, 1 - chosen / copies) * grouped
    let active = min(copies / ranks, chosen / ranks + above * spread.squareRoot(), chosen)
    return (most, active)
  }

  /// The variance of the choices that one row has on one of several ranks.
  ///
  /// Of k experts among E, chosen evenly and each at most once, as many lie on one of R ranks as a hypergeometric distribution
  /// has it. Where groups limit the choice, first the groups on a rank are drawn among those of the layer, and then experts
  /// in the groups that were chosen: a rank then has several of a row's choices or none. Of DeepSeek-V3 on eight ranks, twice the variance.
  /// A balancer that places experts one by one breaks the groups up.
  static func variancePerRow(_ shape: Shape) -> Double {
    guard let groups = shape.groups, shape.placement == nil else { return freeVariancePerRow(shape) }
    let (count, chosen, ranks) = (Double(groups.count), Double(groups.chosen), Double(shape.ranks))
    let (k, pool) = (Double(shape.topK), Double(shape.experts) * Double(groups.chosen) / Double(groups.count))
    // The pool has no more experts than a row's: all are chosen.
    let without = pool > 1 ? (pool - k) / (pool - 1) : 0
    guard shape.ranks <= groups.count else {
      // A rank holds part of one group, which is chosen or not.
      let share = count / (ranks * chosen)
      let mean = k * share
      return chosen / count * (mean * (1 - share) * without + mean * mean) - (k / ranks) * (k / ranks)
    }
    // Of the chosen groups a rank has some; each holds as large a share of the pool.
    let mean = chosen / ranks
    let variance = mean * (1 - 1 / ranks) * (count - chosen) / (count - 1)
    let share = mean / chosen - (variance + mean * mean) / (chosen * chosen)
    return k * share * without + k * k * variance / (chosen * chosen)
  }

  /// The same where the choice is free.
  private static func freeVariancePerRow(_ shape: Shape) -> Double {
    let (k, experts, ranks) = (Double(shape.topK), Double(shape.experts), Double(shape.ranks))
    return experts > 1 ? k / ranks * (1 - 1 / ranks) * (experts - k) / (experts - 1) : 0
  }

  /// The expected maximum of some independent standard normal numbers, by Blom's approximation
  /// (Statistical Estimates and Transformed Beta-Variables, 1958).
  static func expectedMaximum(of count: Int) -> Double {
    count < 2 ? 0 : NormalDistribution.quantile((Double(count) - 0.375) / (Double(count) + 0.25))
  }
}
