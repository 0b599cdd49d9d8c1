import Support

/// One value of a descriptor: its path in the file and on the command line, its unit, its bounds, what it is.
public struct Setting<Root>: Sendable {
  /// Where the value lies in its descriptor, and what it may be.
  enum Access: Sendable {
    case number(any WritableKeyPath<Root, Double> & Sendable, ClosedRange<Double>)
    case integer(any WritableKeyPath<Root, Int> & Sendable, ClosedRange<Int>)
    case flag(any WritableKeyPath<Root, Bool> & Sendable)
    case word(any WritableKeyPath<Root, String> & Sendable, [String])
    case sizes(any WritableKeyPath<Root, [Int]> & Sendable)
  }

  /// The dotted path, such as `host.per_iteration_ms`.
  public let path: String
  /// The unit, such as `ms`; empty for pure numbers.
  public let unit: String
  /// What it is, in one sentence.
  public let summary: String
  let access: Access
  /// Whether results exist from before there was such a setting, when every descriptor had its neutral value.
  public let isLate: Bool

  init(_ path: String, unit: String = "", isLate: Bool = false, _ access: Access, _ summary: String) {
    self.isLate = isLate
    self.path = path
    self.unit = unit
    self.access = access
    self.summary = summary
  }

  /// What a value has to look like, for help texts and error messages.
  public var expected: String {
    let unit = unit.isEmpty ? "" : " (\(unit))"
    switch access {
    case .number(_, let range):
      let upper = range.upperBound == .greatestFiniteMagnitude ? "" : "\(range.upperBound)"
      let lower = range.lowerBound == .leastNonzeroMagnitude ? "above 0" : "\(range.lowerBound)"
      if upper.isEmpty {
        return lower == "above 0" ? "a number above 0\(unit)" : "a number, at least \(lower)\(unit)"
      }
      return lower == "above 0"
        ? "a number above 0, at most \(upper)\(unit)" : "a number in \(lower)...\(upper)\(unit)"
    case .integer(_, let range):
      return "a whole number in \(range.lowerBound)...\(range.upperBound)\(unit)"
    case .flag:
      return "true or false"
    case .word(_, let words):
      return words.isEmpty ? "a word" : words.joined(separator: " or ")
    case .sizes:
      return "ascending positive whole numbers, such as 1,2,4, or none\(unit)"
    }
  }

  /// The value in a descriptor, as `set` would read it back.
  public func text(in root: Root) -> String {
    switch access {
    case .number(let path, _): "\(root[keyPath: path])"
    case .integer(let path, _): "\(root[keyPath: path])"
    case .flag(let path): "\(root[keyPath: path])"
    case .word(let path, _): root[keyPath: path]
    case .sizes(let path):
      root[keyPath: path].isEmpty ? "none" : root[keyPath: path].map(String.init).joined(separator: ",")
    }
  }

  /// Writes a text's value into a descriptor; false where it does not fit.
  func write(_ text: String, to root: inout Root) -> Bool {
    switch access {
    case .number, .integer:
      return Double(text).map { write(.real($0), to: &root) } ?? false
    case .flag:
      return Bool(text).map { write(.flag($0), to: &root) } ?? false
    case .word: return write(.text(text), to: &root)
    case .sizes:
      if text == "none" || text.isEmpty { return write(.list([]), to: &root) }
      let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
      guard !parts.contains(nil) else { return false }
      return write(.list(parts.compactMap { $0 }.map { .real($0) }), to: &root)
    }
  }

  /// Writes a JSON value into a descriptor; false where it does not fit.
  func write(_ value: JSONValue, to root: inout Root) -> Bool {
    switch access {
    case .number(let path, let range):
      guard let number = value.number, range.contains(number) else { return false }
      root[keyPath: path] = number
    case .integer(let path, let range):
      guard let integer = value.wholeNumber, range.contains(integer) else { return false }
      root[keyPath: path] = integer
    case .flag(let path):
      guard case .flag(let flag) = value else { return false }
      root[keyPath: path] = flag
    case .word(let path, let words):
      guard case .text(let word) = value, words.isEmpty ? !word.isEmpty : words.contains(word) else {
        return false
      }
      root[keyPath: path] = word
    case .sizes(let path):
      guard case .list(let list) = value else { return false }
      var sizes: [Int] = []
      for element in list {
        guard let size = element.wholeNumber, size > sizes.last ?? 0, size <= 1 << 30 else { return false }
        sizes.append(size)
      }
      root[keyPath: path] = sizes
    }
    return true
  }
}

extension ClosedRange<Double> {
  /// Any number from 0.
  static var notNegative: Self { 0...1e9 }
  /// Milliseconds that something takes on a host: a minute at most, beyond which no server is.
  static var milliseconds: Self { 0...60_000 }
  /// Microseconds that a token, a sequence or a layer takes on a host: a tenth of a second at most.
  static var microseconds: Self { 0...100_000 }
  /// Any number above 0.
  static var positive: Self { 1e-6...1e18 }
}
