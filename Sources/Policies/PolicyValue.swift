import Serving

/// A value of a policy's parameter.
public enum PolicyValue: Sendable, Hashable, CustomStringConvertible {
  /// A whole number, of tokens, sequences or layers.
  case count(Int)
  /// A time, in milliseconds.
  case milliseconds(Double)
  /// One of several words.
  case word(String)

  /// As it stands in a policy's brackets.
  public var description: String {
    switch self {
    case .count(let count): "\(count)"
    case .milliseconds(let time): time == time.rounded() && abs(time) < 1e15 ? "\(Int(time))" : "\(time)"
    case .word(let word): word
    }
  }
}

/// The values of all of a policy's parameters, by their names.
struct PolicyValues: Sendable, Hashable {
  var values: [String: PolicyValue] = [:]

  /// A whole number; the catalog says that the parameter is one.
  func count(_ name: String) -> Int {
    guard case .count(let count) = values[name] else { fatalError("the policy has no number '\(name)'") }
    return count
  }

  /// A time.
  func seconds(_ name: String) -> Seconds {
    guard case .milliseconds(let time) = values[name] else { fatalError("the policy has no time '\(name)'") }
    return time / 1000
  }

  /// A word.
  func word(_ name: String) -> String {
    guard case .word(let word) = values[name] else { fatalError("the policy has no word '\(name)'") }
    return word
  }
}
