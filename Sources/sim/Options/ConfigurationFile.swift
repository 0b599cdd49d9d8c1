import Experiments
import Foundation
import Support

/// `--config FILE`: options of the command line from a JSON file, as vLLM's option of this name takes them; or an experiment, as
/// `sim run --dry-run` prints it.
///
/// A member is an option, its words joined by `-` or `_`; a list is a list of values, true a flag. What is on the command line takes the
/// place of what the file says.
enum ConfigurationFile {
  /// What a command decides itself, and so does not take from an experiment.
  private static let decided = [
    "compare": ["--policy"], "capacity": ["--seed"], "tune": ["--seed"], "plan": ["--seed"],
  ]
  /// Options whose values are words of their own.
  private static let wordLists: Set = ["--slo", "--goodput"]

  /// Arguments with those of the file in the place of `--config`.
  ///
  /// - Throws: a `CommandLineError`, or a `JSONError` that names the file and the member.
  static func expanded(_ arguments: [String]) throws -> [String] {
    guard
      let place = arguments.firstIndex(where: { $0 == "--config" || $0.hasPrefix("--config=") })
    else { return arguments }
    var rest = arguments
    let option = rest.remove(at: place)
    let path: String
    if let sign = option.firstIndex(of: "=") {
      path = String(option[option.index(after: sign)...])
    } else {
      guard place < rest.count else { throw CommandLineError.contradiction("--config: needs a file") }
      path = rest.remove(at: place)
    }
    guard !rest.contains(where: { $0 == "--config" || $0.hasPrefix("--config=") }) else {
      throw CommandLineError.contradiction("--config: given twice")
    }
    let given = Set(
      rest.map { OptionNames.plain(String($0.split(separator: "=", maxSplits: 1)[safe: 0] ?? "")) })
    let object = try JSONReader.object(path: path)
    if object.members.contains(where: { ["workload", "cluster"].contains($0.key) }) {
      let experiment = try Experiment(contentsOf: path)
      let left = given.union(decided[rest.first ?? ""] ?? [])
      let all = try ExperimentOptions(experiment, from: path).options
      return rest + all.filter { !left.contains($0.name) }.flatMap { [$0.name] + $0.words }
    }
    // Commands come first; positional arguments after an option's words would be taken for more of these.
    return rest + (try object.members.flatMap { try words(of: $0, in: object, unless: given) })
  }

  private static func words(
    of member: JSONValue.Member, in object: JSONObject, unless given: Set<String>
  ) throws(JSONError) -> [String] {
    let option = "--" + member.key.replacing("_", with: "-")
    guard !given.contains(OptionNames.plain(option)), option != "--config" else { return [] }
    func text(_ value: JSONValue) throws(JSONError) -> String {
      switch value {
      case .text(let text): return text
      case .integer(let number): return "\(number)"
      case .real(let number): return "\(number)"
      default:
        throw object.invalid(member.key, value, expected: "a text, a number, true, false, or a list of these")
      }
    }
    switch member.value {
    case .null, .flag(false): return []
    case .flag(true): return [option]
    case .list(let values):
      var texts: [String] = []
      for value in values { texts.append(try text(value)) }
      guard !texts.isEmpty else { return [] }
      if wordLists.contains(option) { return [option] + texts }
      if OptionNames.repeatable.contains(option) { return texts.flatMap { [option, $0] } }
      return [option, texts.joined(separator: ",")]
    default: return ["\(option)=\(try text(member.value))"]
    }
  }
}

extension Array {
  /// An element, if there is one at this place.
  fileprivate subscript(safe place: Int) -> Element? { indices.contains(place) ? self[place] : nil }
}
