import Support

/// Groups of experts, of which the router picks some for each token before it picks experts in them (DeepSeek-V3,
/// arXiv 2412.19437, section 2.1.2: node-limited routing).
///
/// A group's experts have successive numbers, so that a rank of expert parallelism holds whole groups or a part of one: a token
/// has several experts on some ranks, and none on others. A balancer that moves single experts undoes that.
public struct ExpertGroups: Sendable, Hashable {
  /// Groups in a layer, `n_group`.
  public let count: Int
  /// Groups that a token's experts come from, `topk_group`.
  public let chosen: Int

  /// Creates groups.
  public init(count: Int, chosen: Int) {
    self.count = count
    self.chosen = chosen
  }

  /// The ways of choosing (`topk_method`) that look at groups.
  private static let methodsByGroups = ["noaux_tc", "group_limited_greedy"]

  /// Reads a configuration; nil where there is one group, or all of them are chosen.
  ///
  /// - Throws: `JSONError` where groups do not divide the experts, those that are chosen have too few, one of the two numbers is
  ///   missing, or experts are chosen in a way that is not known.
  init?(_ config: JSONObject, experts: Int, topK: Int) throws(JSONError) {
    if let method = try config.optionalText("topk_method") {
      // Greedy routing, as of DeepSeek-V2-Lite, looks at no groups.
      if method == "greedy" { return nil }
      guard Self.methodsByGroups.contains(method) else {
        throw .invalid(
          file: config.file, field: "topk_method", value: "'\(method)'",
          expected: (Self.methodsByGroups + ["greedy"]).joined(separator: ", ") + ", or nothing")
      }
    }
    let groups = try config.optionalInteger("n_group", in: 1...experts)
    let limit = try config.optionalInteger("topk_group", in: 1...(groups ?? experts))
    guard let count = groups, let chosen = limit else {
      guard groups ?? 1 == 1, limit ?? 1 == 1 else {
        let (known, missing) = groups == nil ? ("topk_group", "n_group") : ("n_group", "topk_group")
        throw .invalid(
          file: config.file, field: known, value: "\(groups ?? limit ?? 1)",
          expected: "\(missing) beside it, or neither")
      }
      return nil
    }
    guard experts.isMultiple(of: count) else {
      throw .invalid(
        file: config.file, field: "n_group", value: "\(count)",
        expected: "a divisor of the experts, \(experts)")
    }
    guard topK <= experts / count * chosen else {
      throw .invalid(
        file: config.file, field: "topk_group", value: "\(chosen)",
        expected: "groups that hold the experts of a token, \(topK)")
    }
    if chosen == count { return nil }
    self.init(count: count, chosen: chosen)
  }
}
