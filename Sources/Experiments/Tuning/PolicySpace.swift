import Foundation
import Policies
import Serving

/// The parameters of a policy that a search for the best tries.
package enum PolicySpace {
  /// The candidates: the policy as it was given, with its defaults, and every combination of values of the parameters
  /// that were not given.
  ///
  /// - Parameters:
  ///   - text: a policy, as `--policy` takes it; parameters that it gives stay as they are.
  ///   - layers: of the model.
  ///   - maxModelLength: the longest sequence that is served.
  ///   - batchedTokens: what the engine allows in an iteration by default; 0 where it says nothing.
  ///   - longestGap: the limit on gaps, for policies that keep to one; `nil` if there is none.
  /// - Returns: resolved policies, each once, the given one first.
  /// - Throws: if there is no such policy, or it does not take its parameters.
  package static func candidates(
    of text: String, layers: Int, maxModelLength: Tokens, batchedTokens: Tokens = 0, longestGap: Seconds?
  ) throws(PolicyError) -> [String] {
    let given = try Policy(text)
    var product = [given]
    for parameter in given.entry.parameters where !given.has(parameter.name) {
      let values = values(of: parameter.name, in: given.entry, layers: layers, longestGap: longestGap)
      guard !values.isEmpty else { continue }
      var next: [Policy] = []
      for policy in product {
        for value in values {
          var policy = policy
          try policy.set(parameter.name, to: value)
          next.append(policy)
        }
      }
      product = next
    }
    var seen: Set<String> = []
    var candidates: [String] = []
    for policy in [given] + product {
      let text = try policy.resolved(
        layers: layers, maxModelLength: maxModelLength, batchedTokens: batchedTokens
      ).description
      if seen.insert(text).inserted { candidates.append(text) }
    }
    return candidates
  }

  /// Values that are worth a try; none for a parameter that keeps its default.
  private static func values(
    of parameter: String, in entry: PolicyCatalog.Entry, layers: Int, longestGap: Seconds?
  ) -> [String] {
    switch (entry.name, parameter) {
    case ("chunked", "budget"), ("vllm", "budget"):
      return [128, 256, 512, 1024, 2048, 4096, 8192, 16384].map { "\($0)" }
    case (_, "stages"): return stages(layers: layers)
    case ("layered", "cohort"): return [1024, 2048, 4096, 8192, 16384].map { "\($0)" }
    case ("layered", "groups"): return ["tiers", "paper"]
    case ("hybrid", "chunk"): return [512, 1024, 2048, 4096, 8192].map { "\($0)" }
    case ("deadline", "tbt"), ("paced", "tbt"):
      guard let longestGap else { return ["50", "100"] }
      return [0.6, 0.8, 0.9, 0.97, 1].map { String(format: "%.6g", longestGap * $0 * 1000) }
    case ("static", "batch"): return [16, 32, 64, 128].map { "\($0)" }
    case (_, entry.batchedTokens): return [2048, 8192].map { "\($0)" }
    default: return []
    }
  }

  /// A half, a third, a sixth and a twelfth of the layers, and all of them, as far as they divide evenly.
  private static func stages(layers: Int) -> [String] {
    [12, 6, 3, 2, 1].filter { layers.isMultiple(of: $0) && layers / $0 >= 2 }.map { "\(layers / $0)" }
  }
}
