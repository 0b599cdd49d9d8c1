import CostModels

/// What routing asks of an experts' kernel, by experts, top-k, distribution and tokens: expected values of the law that
/// the tables' collector draws from.
struct ExpertLoads: Sendable {
  /// Distinct experts, and tiles of 16, 32, 64 and 128 tokens.
  struct Load: Sendable {
    var active: Double
    var tiles: SIMD4<Double>
  }

  private struct Key: Hashable {
    var experts, topK, tokens: Int
    var distribution: String
  }

  private var loads: [Key: Load] = [:]

  /// Reads a table with the columns experts, topk, ep, distribution and tokens; rows with ep above 1 are passed over.
  init(_ table: KernelTable) throws(CalibrationError) {
    let experts = try table.integers("experts")
    let topK = try table.integers("topk")
    let ep = try table.integers("ep")
    let distributions = try table.texts("distribution")
    let tokens = try table.integers("tokens")
    let loads = try Self.loads(in: table)
    for i in 0..<table.count where ep[i] == 1 {
      let key = Key(experts: experts[i], topK: topK[i], tokens: tokens[i], distribution: distributions[i])
      self.loads[key] = loads[i]
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

  /// Whether the routing of a row of another table is known, on one rank that has all experts.
  func knows(experts: Int, topK: Int, _ distribution: String, tokens: Int) -> Bool {
    loads[Key(experts: experts, topK: topK, tokens: tokens, distribution: distribution)] != nil
  }

  /// The loads of another table's rows.
  ///
  /// - Throws: `CalibrationError` for a row whose routing is not known.
  func loads(
    of table: KernelTable, experts: [Int], topK: [Int], _ distributions: [String], tokens: [Int]
  ) throws(CalibrationError) -> [Load] {
    var found: [Load] = []
    for i in 0..<table.count {
      let key = Key(experts: experts[i], topK: topK[i], tokens: tokens[i], distribution: distributions[i])
      guard let load = loads[key] else {
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
