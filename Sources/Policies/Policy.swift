import Serving
import Support

/// A policy by name, as `--policy` takes it: `layered`, or with parameters `layered[stages=8,cohort=4096]`.
///
/// Its description spells out every parameter that is set, so that results describe themselves.
public struct Policy: Sendable, CustomStringConvertible {
  /// Its entry in the catalog.
  public let entry: PolicyCatalog.Entry
  private var values: [String: Int] = [:]

  /// Reads `name` or `name[key=value,...]`.
  ///
  /// - Throws: if there is no such policy or parameter, or a value is not what the parameter takes.
  public init(_ text: String) throws(PolicyError) {
    let parts = text.split(separator: "[", maxSplits: 1, omittingEmptySubsequences: false)
    let aliases = ["chunked-prefill": "chunked", "layered-prefill": "layered"]
    let name = aliases[String(parts[0])] ?? String(parts[0])
    guard let entry = PolicyCatalog.entries.first(where: { $0.name == name }) else {
      throw .unknown(name, nearest: nearestName(to: name, among: PolicyCatalog.entries.map(\.name)))
    }
    self.entry = entry
    guard parts.count == 2 else { return }
    guard parts[1].last == "]" else { throw .malformed(text) }
    for pair in parts[1].dropLast().split(separator: ",", omittingEmptySubsequences: false) {
      let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2 else { throw .malformed(text) }
      try set(String(sides[0]), to: String(sides[1]))
    }
  }

  /// Sets a parameter.
  ///
  /// - Throws: if the policy has no such parameter, or it does not take the value.
  public mutating func set(_ name: String, to value: String) throws(PolicyError) {
    guard let parameter = entry.parameters.first(where: { $0.name == name }) else {
      throw .unknownParameter(name, policy: entry.name, known: entry.parameters.map(\.name))
    }
    if parameter.words.isEmpty {
      guard let number = Int(value), (1...1 << 30).contains(number) else {
        throw .badValue(value, parameter: name, expected: "a whole number from 1 to 2^30")
      }
      values[name] = number
    } else {
      guard let word = parameter.words.firstIndex(of: value) else {
        throw .badValue(value, parameter: name, expected: parameter.words.joined(separator: " or "))
      }
      values[name] = word
    }
  }

  /// Whether a parameter has been set.
  public func has(_ name: String) -> Bool { values[name] != nil }

  /// The same policy with every parameter set, by default if need be.
  ///
  /// - Throws: if the model has fewer layers than the policy's stages.
  public func resolved(layers: Int, maxModelLength: Tokens) throws(PolicyError) -> Policy {
    var policy = self
    for parameter in entry.parameters where policy.values[parameter.name] == nil {
      policy.values[parameter.name] = parameter.fallback(layers, maxModelLength)
    }
    if let stages = policy.values["stages"], stages > layers {
      throw .badValue("\(stages)", parameter: "stages", expected: "at most the model's \(layers) layers")
    }
    return policy
  }

  /// Tokens in an iteration, or in a pass or chunk: what `--max-num-batched-tokens` sets.
  ///
  /// Resolve the policy first.
  public var batchedTokens: Tokens { values[entry.batchedTokens, default: 512] }

  /// A fresh scheduler.
  ///
  /// Resolve the policy first.
  public func makeScheduler() -> any Scheduler { entry.make(values) }

  /// The text that makes this policy.
  public var description: String {
    let list = entry.parameters.compactMap { parameter in
      values[parameter.name].map {
        "\(parameter.name)=\(parameter.words.isEmpty ? String($0) : parameter.words[$0])"
      }
    }
    return list.isEmpty ? entry.name : "\(entry.name)[\(list.joined(separator: ","))]"
  }
}
