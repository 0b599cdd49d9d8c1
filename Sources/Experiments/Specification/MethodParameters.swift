/// Reads the parameters of a method that is written `name[key=value,...]`, such as `cca[q=2,kv=8]`.
struct MethodParameters {
  /// The option that it is a value of.
  let option: String
  /// The method.
  let method: PolicySpecification
  /// What would be right, for errors.
  let example: String

  /// Begins to read a method.
  ///
  /// - Throws: `ExperimentError` if it has another name, or a parameter that is not among those known.
  init(
    _ method: PolicySpecification, option: String, named name: String, knowing known: [String],
    example: String
  )
    throws(ExperimentError)
  {
    self.option = option
    self.method = method
    self.example = example
    guard method.name == name, method.parameters.keys.allSatisfy({ known.contains($0) }) else {
      throw bad(example)
    }
  }

  /// A whole number.
  ///
  /// - Throws: `ExperimentError` if there is none and no default, or it is out of bounds.
  func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int? = nil)
    throws(ExperimentError)
    -> Int
  {
    switch method.parameters[name] {
    case .number(let value)?:
      if let whole = Int(exactly: value), range.contains(whole) { return whole }
    case nil:
      if let fallback { return fallback }
    default: break
    }
    throw bad("\(name) from \(range.lowerBound) to \(range.upperBound), as in \(example)")
  }

  /// A number.
  ///
  /// - Throws: `ExperimentError` if it is out of bounds.
  func number(_ name: String, in range: ClosedRange<Double>, default fallback: Double) throws(ExperimentError)
    -> Double
  {
    guard let given = method.parameters[name] else { return fallback }
    if case .number(let value) = given, range.contains(value) { return value }
    throw bad("\(name) from \(range.lowerBound) to \(range.upperBound), as in \(example)")
  }

  /// One of some words.
  ///
  /// - Throws: `ExperimentError` if it is another one.
  func word<Word: CaseIterable & RawRepresentable<String>>(_ name: String, default fallback: Word)
    throws(ExperimentError) -> Word
  {
    guard let given = method.parameters[name] else { return fallback }
    if case .word(let text) = given, let word = Word(rawValue: text) { return word }
    throw bad("\(name) one of \(Word.allCases.map(\.rawValue).joined(separator: ", ")), as in \(example)")
  }

  /// The method is not what it should be.
  func bad(_ expected: String) -> ExperimentError {
    .invalidValue(option: option, value: method.description, expected: expected)
  }
}
