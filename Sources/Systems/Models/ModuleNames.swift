import Support

/// The modules that a checkpoint's quantisation names: whole names, parts of names, wildcards or regular expressions.
///
/// Writers of checkpoints differ: compressed-tensors has `re:.*lm_head`, ModelOpt `model.layers.0.*`, AWQ and FP8
/// checkpoints `model.layers.0.mlp.gate`, `gate` or `lm_head`.
struct ModuleNames {
  private var plain: Set<String> = []
  private var wildcards: [[Substring]] = []
  private var expressions: [Regex<AnyRegexOutput>] = []

  /// Whether there are none.
  var isEmpty: Bool { plain.isEmpty && wildcards.isEmpty && expressions.isEmpty }

  /// Reads a list of names.
  ///
  /// - Throws: `JSONError` for a regular expression that is none.
  init(_ patterns: [String], field: String, of object: JSONObject) throws(JSONError) {
    try add(patterns, field: field, of: object)
  }

  /// Adds a list of names.
  ///
  /// - Throws: `JSONError` for a regular expression that is none.
  mutating func add(_ patterns: [String], field: String, of object: JSONObject) throws(JSONError) {
    for (index, pattern) in patterns.enumerated() {
      if pattern.hasPrefix("re:") {
        guard let expression = try? Regex(String(pattern.dropFirst(3))) else {
          throw .invalid(
            file: object.file, field: "\(object.place(field))[\(index)]", value: "'\(pattern)'",
            expected: "a regular expression after 're:'")
        }
        expressions.append(expression)
      } else if pattern.contains("*") {
        wildcards.append(pattern.split(separator: "*", omittingEmptySubsequences: false))
      } else {
        plain.insert(pattern)
      }
    }
  }

  /// Whether a module is named: as a whole, or by a part of its dotted name.
  ///
  /// - Complexity: O(parts² + wildcards + expressions).
  func contains(_ name: String) -> Bool {
    if !plain.isEmpty {
      let parts = name.split(separator: ".")
      for begin in parts.indices {
        var part = ""
        for end in begin..<parts.count {
          part += (part.isEmpty ? "" : ".") + parts[end]
          if plain.contains(part) { return true }
        }
      }
    }
    return wildcards.contains { Self.matches(name, $0) }
      || expressions.contains { name.prefixMatch(of: $0) != nil }
  }

  /// Whether a name consists of these pieces in order, with anything between them.
  private static func matches(_ name: String, _ pieces: [Substring]) -> Bool {
    guard let first = pieces.first, let last = pieces.last, name.hasPrefix(first) else { return false }
    var rest = name.dropFirst(first.count)
    for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
      guard let found = rest.firstRange(of: piece) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(last)
  }
}
