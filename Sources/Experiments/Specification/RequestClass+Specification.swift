import Policies
import Serving
import Workloads

/// `{"name": "chat", "share": 0.7, "priority": 0, "objective": {"ttft_s": 1}}`.
extension RequestClass: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable { case name, share, priority, objective }

  /// Reads an object; members that it lacks keep their defaults.
  public init(from decoder: any Decoder) throws {
    let object = try decoder.object(of: CodingKeys.self)
    self.init(name: try object.decode(String.self, forKey: .name))
    try object.read(.share, into: &share)
    try object.read(.priority, into: &priority)
    objective = try object.decodeIfPresent(ServiceObjective.self, forKey: .objective)
  }

  /// Writes an object.
  public func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: CodingKeys.self)
    try object.encode(name, forKey: .name)
    try object.encode(share, forKey: .share)
    try object.encode(priority, forKey: .priority)
    try object.encodeIfPresent(objective, forKey: .objective)
  }

  /// Reads a class as the command line has it: `chat[share=0.7,ttft=1s,tbt=50ms,priority=1]`.
  ///
  /// - Throws: an ``ExperimentError``, or an error of a limit.
  package init(parsing text: String) throws {
    func fail(_ expected: String) -> ExperimentError {
      .invalidValue(option: "--request-class", value: text, expected: expected)
    }
    guard let parsed = try? ParameterisedName(text) else {
      throw fail("a name with parameters, each once, as in chat[share=0.7,ttft=1s,tbt=50ms,priority=1]")
    }
    self.init(name: parsed.name)
    var limits: [String] = []
    for (name, value) in parsed.parameters {
      switch name {
      case "share":
        guard let number = Double(value) else { throw fail("a number as share") }
        share = number
      case "priority":
        guard let number = Int(value) else { throw fail("a whole number as priority") }
        priority = number
      default: limits.append("\(name):\(value)")
      }
    }
    guard !limits.isEmpty else { return }
    let objective = try Objective.alternatives(limits)[0]
    guard objective.statistics.isEmpty else { throw fail("limits of single requests, such as ttft=1s") }
    self.objective = objective.requests
  }
}
