/// One option of a sweep, and the values that it takes in turn.
struct SweepAxis {
  /// The option, such as `--request-rate`.
  let option: String
  /// What may follow it, an entry for each alternative; a flag has one that is empty.
  let alternatives: [[String]]

  /// Reads the words that follow an option: lists a,b,c, ranges first:last:step, or both.
  init(option: String, words: [Substring]) throws(CommandLineError) {
    self.option = option
    var product: [[String]] = [[]]
    for word in words {
      let values = try Self.values(word, option: option)
      product = product.flatMap { head in values.map { head + [$0] } }
    }
    alternatives = product
  }

  /// Splits a list at the commas outside of brackets, braces and texts in quotation marks, as JSON has them.
  static func elements(_ text: Substring) -> [Substring] {
    var elements: [Substring] = []
    var depth = 0
    var isQuoted = false
    var start = text.startIndex
    for i in text.indices {
      switch text[i] {
      case "\"": isQuoted.toggle()
      case _ where isQuoted: break
      case "[", "{": depth += 1
      case "]", "}": depth -= 1
      case "," where depth == 0:
        elements.append(text[start..<i])
        start = text.index(after: i)
      default: break
      }
    }
    return elements + [text[start...]]
  }

  private static func values(_ word: Substring, option: String) throws(CommandLineError) -> [String] {
    // In path=value,value,... the path goes with each value.
    var path = ""
    if let sign = word.firstIndex(of: "="), !word[..<sign].contains(where: { "[{\"".contains($0) }) {
      path = String(word[...sign])
    }
    var values: [String] = []
    for element in elements(word.dropFirst(path.count)) {
      guard !element.isEmpty else {
        throw .badValue(option: option, value: String(word), expected: "a value before and after each comma")
      }
      if let range = try SweepRange(element, option: option) {
        values += range.values.map { path + $0 }
      } else {
        values.append(element.hasPrefix(path) ? String(element) : path + String(element))
      }
    }
    return values
  }
}
