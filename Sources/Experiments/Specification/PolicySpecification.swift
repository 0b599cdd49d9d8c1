/// A scheduling policy as the user asks for it: its name, and those parameters that differ from their defaults.
///
/// A literal is read as `--policy` is: `"layered[stages=8]"`. In JSON the parameters are members beside `name`. Whether
/// there is such a policy, and whether it takes such parameters, shows as the experiment is loaded.
public struct PolicySpecification: Sendable, Hashable, CustomStringConvertible {
  /// What `--policy` calls it.
  public var name: String
  /// Parameters by name.
  public var parameters: [String: SettingValue]

  /// Creates a specification.
  public init(_ name: String, _ parameters: [String: SettingValue] = [:]) {
    self.name = name
    self.parameters = parameters
  }

  /// Reads `name` or `name[key=value,...]`; a text of another form is kept as a name, which no policy has.
  public init(parsing text: String) {
    self.init(text)
    guard let bracket = text.firstIndex(of: "["), text.last == "]" else { return }
    var parameters: [String: SettingValue] = [:]
    for pair in text[text.index(after: bracket)...].dropLast().split(
      separator: ",", omittingEmptySubsequences: false)
    {
      let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2 else { return }
      parameters[String(sides[0])] = SettingValue(parsing: String(sides[1]))
    }
    name = String(text[..<bracket])
    self.parameters = parameters
  }

  /// The text that ``init(parsing:)`` reads, its parameters in alphabetical order.
  public var description: String {
    guard !parameters.isEmpty else { return name }
    let list = parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return "\(name)[\(list.joined(separator: ","))]"
  }
}

extension PolicySpecification: ExpressibleByStringLiteral {
  /// Reads `name` or `name[key=value,...]`.
  public init(stringLiteral value: String) { self.init(parsing: value) }
}

extension PolicySpecification: Codable {
  /// Reads an object: `{"name": "layered", "stages": 8}`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: MemberName.self)
    self.init(try container.decode(String.self, forKey: MemberName("name")))
    for member in container.allKeys where member.stringValue != "name" {
      parameters[member.stringValue] = try container.decode(SettingValue.self, forKey: member)
    }
  }

  /// Writes an object whose members are the name and the parameters.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: MemberName.self)
    try container.encode(name, forKey: MemberName("name"))
    for (parameter, value) in parameters { try container.encode(value, forKey: MemberName(parameter)) }
  }
}
