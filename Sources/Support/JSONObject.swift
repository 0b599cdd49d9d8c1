/// A JSON object with its file and its place in it: every accessor that fails names both.
public struct JSONObject: Sendable {
  /// The file that it was read from, as errors name it.
  public let file: String
  /// The dotted path of this object in its file; empty at the top.
  public let path: String
  /// The members, in the order of the file.
  public let members: [JSONValue.Member]
  private let places: [String: Int]

  /// Creates an object from its members; the last one of a name counts.
  public init(_ members: [JSONValue.Member], file: String, path: String = "") {
    self.file = file
    self.path = path
    self.members = members
    places = Dictionary(members.enumerated().map { ($1.key, $0) }) { $1 }
  }

  /// The dotted path of a field: `host.per_iteration_ms`.
  public func place(_ field: String) -> String { path.isEmpty ? field : path + "." + field }

  /// The value of a field; `nil` where it is absent or null.
  public func value(_ field: String) -> JSONValue? {
    guard let place = places[field], members[place].value != .null else { return nil }
    return members[place].value
  }

  /// The error of a field whose value is not what it should be.
  public func invalid(_ field: String, _ value: JSONValue, expected: String) -> JSONError {
    .invalid(file: file, field: place(field), value: value.brief, expected: expected)
  }

  /// The error of a field that is absent.
  public func missing(_ field: String, expected: String) -> JSONError {
    .missing(file: file, field: place(field), expected: expected)
  }

  /// A number within bounds; `nil` where the field is absent or null.
  ///
  /// - Parameters:
  ///   - field: The name of the field.
  ///   - range: The bounds; all numbers by default.
  /// - Returns: The number.
  /// - Throws: ``JSONError/invalid(file:field:value:expected:)``.
  public func optionalNumber(
    _ field: String, in range: ClosedRange<Double> = Self.anyNumber
  ) throws(JSONError) -> Double? {
    guard let value = value(field) else { return nil }
    guard let number = value.number, range.contains(number) else {
      throw invalid(field, value, expected: Self.words(range))
    }
    return number
  }

  /// A number within bounds.
  ///
  /// - Parameters:
  ///   - field: The name of the field.
  ///   - range: The bounds; all numbers by default.
  /// - Returns: The number.
  /// - Throws: ``JSONError``, also where the field is absent or null.
  public func number(
    _ field: String, in range: ClosedRange<Double> = Self.anyNumber
  ) throws(JSONError) -> Double {
    guard let number = try optionalNumber(field, in: range) else {
      throw missing(field, expected: Self.words(range))
    }
    return number
  }

  /// A whole number within bounds; `nil` where the field is absent or null.
  ///
  /// - Parameters:
  ///   - field: The name of the field.
  ///   - range: The bounds.
  /// - Returns: The number.
  /// - Throws: ``JSONError/invalid(file:field:value:expected:)``.
  public func optionalInteger(_ field: String, in range: ClosedRange<Int>) throws(JSONError) -> Int? {
    guard let value = value(field) else { return nil }
    guard let number = value.wholeNumber, range.contains(number) else {
      throw invalid(field, value, expected: Self.words(range))
    }
    return number
  }

  /// A whole number within bounds.
  ///
  /// - Parameters:
  ///   - field: The name of the field.
  ///   - range: The bounds.
  /// - Returns: The number.
  /// - Throws: ``JSONError``, also where the field is absent or null.
  public func integer(_ field: String, in range: ClosedRange<Int>) throws(JSONError) -> Int {
    guard let integer = try optionalInteger(field, in: range) else {
      throw missing(field, expected: Self.words(range))
    }
    return integer
  }

  /// True or false; `nil` where the field is absent or null.
  ///
  /// - Returns: The value.
  /// - Throws: ``JSONError/invalid(file:field:value:expected:)``.
  public func optionalFlag(_ field: String) throws(JSONError) -> Bool? {
    guard let value = value(field) else { return nil }
    guard case .flag(let flag) = value else { throw invalid(field, value, expected: "true or false") }
    return flag
  }

  /// A text; `nil` where the field is absent or null.
  ///
  /// - Returns: The text.
  /// - Throws: ``JSONError/invalid(file:field:value:expected:)``.
  public func optionalText(_ field: String) throws(JSONError) -> String? {
    guard let value = value(field) else { return nil }
    guard let text = value.text else { throw invalid(field, value, expected: "a text") }
    return text
  }

  /// A text.
  ///
  /// - Returns: The text.
  /// - Throws: ``JSONError``, also where the field is absent or null.
  public func text(_ field: String) throws(JSONError) -> String {
    guard let text = try optionalText(field) else { throw missing(field, expected: "a text") }
    return text
  }

  /// An object inside this one; `nil` where the field is absent or null.
  ///
  /// - Returns: The object, which knows its place.
  /// - Throws: ``JSONError/invalid(file:field:value:expected:)``.
  public func optionalObject(_ field: String) throws(JSONError) -> JSONObject? {
    guard let value = value(field) else { return nil }
    guard case .object(let members) = value else { throw invalid(field, value, expected: "an object {…}") }
    return JSONObject(members, file: file, path: place(field))
  }

  /// An object inside this one.
  ///
  /// - Returns: The object, which knows its place.
  /// - Throws: ``JSONError``, also where the field is absent or null.
  public func object(_ field: String) throws(JSONError) -> JSONObject {
    guard let object = try optionalObject(field) else { throw missing(field, expected: "an object {…}") }
    return object
  }

  /// A list of numbers.
  ///
  /// - Returns: The numbers.
  /// - Throws: ``JSONError``, also where the field is absent or null.
  public func numbers(_ field: String) throws(JSONError) -> [Double] {
    guard let value = value(field) else { throw missing(field, expected: "a list of numbers") }
    return try numbers(value, at: field)
  }

  /// A list of lists of numbers.
  ///
  /// - Returns: The rows.
  /// - Throws: ``JSONError``, also where the field is absent or null.
  public func rowsOfNumbers(_ field: String) throws(JSONError) -> [[Double]] {
    guard let list = try optionalList(field) else {
      throw missing(field, expected: "a list of lists of numbers")
    }
    var rows: [[Double]] = []
    for (index, row) in list.enumerated() { rows.append(try numbers(row, at: "\(field)[\(index)]")) }
    return rows
  }

  private func numbers(_ value: JSONValue, at field: String) throws(JSONError) -> [Double] {
    guard case .list(let elements) = value else { throw invalid(field, value, expected: "a list of numbers") }
    var numbers: [Double] = []
    numbers.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
      guard let number = element.number else {
        throw invalid("\(field)[\(index)]", element, expected: "a number")
      }
      numbers.append(number)
    }
    return numbers
  }

  /// A list; `nil` where the field is absent or null.
  ///
  /// - Returns: The elements.
  /// - Throws: ``JSONError/invalid(file:field:value:expected:)``.
  public func optionalList(_ field: String) throws(JSONError) -> [JSONValue]? {
    guard let value = value(field) else { return nil }
    guard case .list(let elements) = value else { throw invalid(field, value, expected: "a list") }
    return elements
  }

  /// A list of texts; `nil` where the field is absent or null.
  ///
  /// - Returns: The texts.
  /// - Throws: ``JSONError/invalid(file:field:value:expected:)``.
  public func optionalTexts(_ field: String) throws(JSONError) -> [String]? {
    guard let value = value(field) else { return nil }
    guard case .list(let elements) = value else { throw invalid(field, value, expected: "a list of texts") }
    var texts: [String] = []
    for element in elements {
      guard let text = element.text else { throw invalid(field, element, expected: "a list of texts") }
      texts.append(text)
    }
    return texts
  }

  /// All numbers.
  public static let anyNumber = -Double.greatestFiniteMagnitude ... .greatestFiniteMagnitude

  private static func words(_ range: ClosedRange<Double>) -> String {
    range == anyNumber ? "a number" : "a number in \(range.lowerBound)...\(range.upperBound)"
  }

  private static func words(_ range: ClosedRange<Int>) -> String {
    "a whole number in \(range.lowerBound)...\(range.upperBound)"
  }
}

/// What can be wrong with a JSON file.
public enum JSONError: UserError, Hashable {
  /// The file is missing or cannot be read.
  case unreadable(file: String, reason: String)
  /// The file is not JSON, or not an object.
  case malformed(file: String, line: Int?, reason: String)
  /// A field that has no default is absent.
  case missing(file: String, field: String, expected: String)
  /// A field is not what it should be.
  case invalid(file: String, field: String, value: String, expected: String)

  /// What is wrong, where, and what would be right, in one line.
  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .malformed(let file, let line?, let reason): "\(file): line \(line): not valid JSON: \(reason)"
    case .malformed(let file, nil, let reason): "\(file): \(reason)"
    case .missing(let file, let field, let expected):
      "\(file): field '\(field)' is missing; expected \(expected)"
    case .invalid(let file, let field, let value, let expected):
      "\(file): field '\(field)' is \(value); expected \(expected)"
    }
  }

  /// The status that the program exits with.
  public var exitStatus: ExitStatus {
    switch self {
    case .unreadable: .noInput
    case .malformed, .missing, .invalid: .dataError
    }
  }
}
