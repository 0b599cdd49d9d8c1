import Serving
import Support

/// A router by name, as `--router` takes it: `kv`, or with parameters `kv[temperature=0.5]`; every parameter has a value.
public struct RouterChoice: Sendable, CustomStringConvertible {
  /// Its entry in the catalog.
  public let entry: RouterCatalog.Entry
  private var values: [String: Double]

  /// Other names that people know routers by.
  private static let aliases = [
    "cache-aware": "prefix", "cache_aware": "prefix", "dynamo": "kv", "round_robin": "round-robin",
    "power_of_two": "power-of-two",
  ]

  /// Reads `name` or `name[key=value,...]`.
  ///
  /// - Throws: if there is no such router or parameter, or a value is no number from 0 on.
  public init(_ text: String) throws(RouterError) {
    let parsed: ParameterisedName
    do {
      parsed = try ParameterisedName(text)
    } catch {
      switch error {
      case .malformed: throw .malformed(text)
      case .twice(let name): throw .twice(name, router: text)
      }
    }
    let name = Self.aliases[parsed.name] ?? parsed.name
    guard let entry = RouterCatalog.entries.first(where: { $0.name == name }) else {
      throw .unknown(name, nearest: nearestName(to: name, among: RouterCatalog.entries.map(\.name)))
    }
    self.entry = entry
    values = Dictionary(uniqueKeysWithValues: entry.parameters.map { ($0.name, $0.fallback) })
    for (name, text) in parsed.parameters {
      guard let parameter = entry.parameters.first(where: { $0.name == name }) else {
        throw .unknownParameter(name, router: entry.name, known: entry.parameters.map(\.name))
      }
      guard let value = Double(text), value >= 0, value <= parameter.most else {
        throw .badValue(
          text, parameter: parameter.name, expected: "a number from 0 to \(formatted(parameter.most))")
      }
      values[name] = value
    }
  }

  /// A fresh router.
  public func makeRouter(_ facts: RouterCatalog.Facts) -> any Router { entry.make(values, facts) }

  /// Seconds until the router learns of first tokens and ends; 0 where it knows them at once, or looks at none.
  public var delay: Seconds { values[RouterCatalog.Parameter.delay.name, default: 0] }

  /// The text that makes this router; a delay of 0 is not spelt out.
  public var description: String {
    text(entry.parameters.filter { $0.name != RouterCatalog.Parameter.delay.name || delay > 0 })
  }

  /// The shortest text that makes this router: parameters at their defaults are not spelt out.
  public var label: String {
    text(entry.parameters.filter { values[$0.name, default: $0.fallback] != $0.fallback })
  }

  private func text(_ named: [RouterCatalog.Parameter]) -> String {
    guard !named.isEmpty else { return entry.name }
    let list = named.map { parameter in
      let value = values[parameter.name, default: 0]
      return "\(parameter.name)=\(value == value.rounded() && value < 1e15 ? "\(Int(value))" : "\(value)")"
    }
    return "\(entry.name)[\(list.joined(separator: ","))]"
  }
}
