import CostModels

/// What routing asks of an experts' kernel, by experts, top-k, distribution and tokens: expected values of the law that
/// the tables' collector draws from.
struct ExpertLoads: Sendable {
  /// Choices, distinct experts, and tiles of 16, 32, 64 and 128 tokens, of the rank that was measured.
  struct Load: Sendable {
    /// 0 in a table that has the loads of one rank beside its times: those are tokens times experts a token.
    var choices = 0.0
    var active: Double
    var tiles: SIMD4<Double>

    /// Tiles of so many tokens; of sizes that were not drawn, those of even loads, or of loads that are spread as those of the law
    /// are.
    func tiles(of tokens: Double, skew: Double) -> Double {
      if let place = [16.0, 32, 64, 128].firstIndex(of: tokens) { return tiles[place] }
      guard skew == 0 else {
        return Experts.expectedTiles(choices: choices, active: active, tileTokens: tokens, skew: skew)
      }
      // Some experts have a choice more than the others.
      let less = (choices / active).rounded(.down)
      let more = choices - less * active
      return (active - more) * (less / tokens).rounded(.up) + more * ((less + 1) / tokens).rounded(.up)
    }
  }

  private struct Key: Hashable {
    var experts, topK, ranks, tokens: Int
    var distribution: String
  }

  private var loads: [Key: Load] = [:]

  /// Reads a table with the columns experts, topk, ep, distribution, tokens and rows, which are the choices.
  init(_ table: KernelTable) throws(CalibrationError) {
    let experts = try table.integers("experts")
    let topK = try table.integers("topk")
    let ep = try table.integers("ep")
    let distributions = try table.texts("distribution")
    let tokens = try table.integers("tokens")
    let choices = try table.numbers("rows")
    let loads = try Self.loads(in: table)
    for i in 0..<table.count {
      let key = Key(
        experts: experts[i], topK: topK[i], ranks: ep[i], tokens: tokens[i], distribution: distributions[i])
      self.loads[key] = loads[i]
      self.loads[key]?.choices = choices[i]
    }
  }

  /// The loads that stand in a table itself.
  static func loads(in table: KernelTable) throws(CalibrationError) -> [Load] {
    let active = try table.numbers("active")
    let tiles16 = try table.numbers("tiles_16")
    let tiles32 = try table.numbers("tiles_32")
    let tiles64 = try table.numbers("tiles_64")
    let tiles128 = try table.numbers("tiles_128")
    return (0..<table.count).map {
      Load(active: active[$0], tiles: SIMD4(tiles16[$0], tiles32[$0], tiles64[$0], tiles128[$0]))
    }
  }

  /// The load of a row of another table; nil if its routing is not known.
  func load(experts: Int, topK: Int, ranks: Int, _ distribution: String, tokens: Int) -> Load? {
    loads[Key(experts: experts, topK: topK, ranks: ranks, tokens: tokens, distribution: distribution)]
  }

  /// The loads of another table's rows, on one rank that has all experts.
  ///
  /// - Throws: `CalibrationError` for a row whose routing is not known.
  func loads(
    of table: KernelTable, experts: [Int], topK: [Int], _ distributions: [String], tokens: [Int]
  ) throws(CalibrationError) -> [Load] {
    var found: [Load] = []
    for i in 0..<table.count {
      guard
        let load = load(
          experts: experts[i], topK: topK[i], ranks: 1, distributions[i], tokens: tokens[i])
      else {
        let problem =
          "\(experts[i]) experts, top \(topK[i]), \(distributions[i]), \(tokens[i]) tokens: expected a row of "
          + "expert-routing.csv"
        throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
      found.append(load)
    }
    return found
  }
}
