import Serving
import Support

/// A policy by name, as `--policy` takes it: `layered`, or with parameters `layered[stages=8,cohort=4096]`.
///
/// Its description spells out every parameter that is set, so that results describe themselves.
public struct Policy: Sendable, CustomStringConvertible {
  /// Its entry in the catalog.
  public let entry: PolicyCatalog.Entry
  private var values = PolicyValues()

  /// Reads `name` or `name[key=value,...]`.
  ///
  /// - Throws: if there is no such policy or parameter, or a value is not what the parameter takes.
  public init(_ text: String) throws(PolicyError) {
    let parsed: ParameterisedName
    do {
      parsed = try ParameterisedName(text)
    } catch {
      switch error {
      case .malformed: throw .malformed(text)
      case .twice(let name): throw .twice(name, policy: text)
      }
    }
    let aliases = ["chunked-prefill": "chunked", "layered-prefill": "layered"]
    let name = aliases[parsed.name] ?? parsed.name
    guard let entry = PolicyCatalog.entries.first(where: { $0.name == name }) else {
      let nearest = nearestName(to: name, among: PolicyCatalog.entries.map(\.name))
      throw .unknown(name, nearest: Self.elsewhere[name.lowercased()] ?? nearest)
    }
    self.entry = entry
    for (name, value) in parsed.parameters { try set(name, to: value) }
  }

  /// What papers and other engines call policies that are known here by another name.
  private static let elsewhere = [
    "sjf": "shortest", "sjn": "shortest", "spf": "shortest", "srpt": "shortest", "fcfs": "chunked",
    "fifo": "chunked", "sarathi": "chunked", "continuous": "orca", "tensorrt-llm": "trtllm",
    "slo": "deadline", "vtc": "fair", "earliest-deadline-first": "edf",
  ]

  /// Sets a parameter.
  ///
  /// - Throws: if the policy has no such parameter, or it does not take the value.
  public mutating func set(_ name: String, to value: String) throws(PolicyError) {
    guard let parameter = entry.parameters.first(where: { $0.name == name }) else {
      throw .unknownParameter(name, policy: entry.name, known: entry.parameters.map(\.name))
    }
    switch parameter.kind {
    case .count:
      guard let number = Int(value), (1...1 << 30).contains(number) else {
        throw .badValue(value, parameter: name, expected: "a whole number from 1 to 2^30")
      }
      values.values[name] = .count(number)
    case .countOrNone:
      guard let number = Int(value), (0...1 << 30).contains(number) else {
        throw .badValue(value, parameter: name, expected: "a whole number from 0 to 2^30")
      }
      values.values[name] = .count(number)
    case .milliseconds:
      guard let time = Double(value), time > 0, time < 1e9 else {
        throw .badValue(value, parameter: name, expected: "a positive number of milliseconds")
      }
      values.values[name] = .milliseconds(time)
    case .word(let words):
      guard words.contains(value) else {
        throw .badValue(value, parameter: name, expected: words.joined(separator: " or "))
      }
      values.values[name] = .word(value)
    }
  }

  /// Whether a parameter has been set.
  public func has(_ name: String) -> Bool { values.values[name] != nil }

  /// A parameter's value; `nil` if it is not set.
  public subscript(name: String) -> PolicyValue? { values.values[name] }

  /// The same policy with every parameter set, by default if need be.
  ///
  /// - Parameters:
  ///   - layers: The model's.
  ///   - maxModelLength: The longest sequence that is served.
  ///   - batchedTokens: What the engine allows in an iteration by default; 0 where it says nothing.
  /// - Returns: the policy with all parameters.
  /// - Throws: if the model has fewer layers than the policy's stages.
  public func resolved(
    layers: Int, maxModelLength: Tokens, batchedTokens: Tokens = 0
  ) throws(PolicyError) -> Policy {
    var policy = self
    let facts = PolicyCatalog.Facts(
      layers: layers, maxModelLength: maxModelLength, batchedTokens: batchedTokens)
    for parameter in entry.parameters where !has(parameter.name) {
      policy.values.values[parameter.name] = parameter.fallback(facts)
    }
    if case .count(let stages)? = policy["stages"], stages > layers {
      throw .badValue("\(stages)", parameter: "stages", expected: "at most the model's \(layers) layers")
    }
    return policy
  }

  /// Tokens in an iteration, or in a pass or chunk: what `--max-num-batched-tokens` sets.
  ///
  /// Resolve the policy first.
  public var batchedTokens: Tokens { values.count(entry.batchedTokens) }

  /// Whether it cuts prompts into pieces of ``batchedTokens``.
  ///
  /// Resolve the policy first.
  public var cutsPrompts: Bool { entry.cutsPrompts(values) }

  /// A fresh scheduler.
  ///
  /// Resolve the policy first.
  public func makeScheduler() -> any Scheduler { entry.make(values) }

  /// The text that makes this policy.
  public var description: String {
    let list = entry.parameters.compactMap { parameter in
      self[parameter.name].map { "\(parameter.name)=\($0)" }
    }
    return list.isEmpty ? entry.name : "\(entry.name)[\(list.joined(separator: ","))]"
  }
}
