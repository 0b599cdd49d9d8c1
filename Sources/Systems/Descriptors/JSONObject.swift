import Foundation

/// A JSON object with its file and its place in it: every reader that fails names both.
struct JSONObject {
  /// The file that it was read from, for messages.
  let file: String
  /// The dotted path of this object in its file, empty at the top.
  let path: String
  /// The fields.
  let fields: [String: JSONValue]

  /// Reads a file whose top level is an object.
  static func read(_ url: URL) throws(DescriptionError) -> JSONObject {
    let file = url.relativePath
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch {
      let isThere = FileManager.default.fileExists(atPath: url.path)
      throw .unreadable(file: file, reason: isThere ? "not a readable file" : "no such file")
    }
    do {
      guard case .object(let fields) = try JSONDecoder().decode(JSONValue.self, from: data) else {
        throw DescriptionError.malformed(file: file, reason: "the top level is not a JSON object {…}")
      }
      return JSONObject(file: file, path: "", fields: fields)
    } catch let error as DescriptionError {
      throw error
    } catch {
      throw .malformed(file: file, reason: "not valid JSON" + detail(of: data))
    }
  }

  /// What the older parser says about a mistake; the decoder's says nothing on Linux.
  private static func detail(of data: Data) -> String {
    do {
      _ = try JSONSerialization.jsonObject(with: data)
      return ""
    } catch {
      guard let text = (error as NSError).userInfo["NSDebugDescription"] as? String else { return "" }
      return ": " + text.replacing("\n", with: " ")
    }
  }

  /// The dotted path of a field.
  func place(_ field: String) -> String { path.isEmpty ? field : path + "." + field }

  /// The value of a field; nil where it is absent or null.
  func value(_ field: String) -> JSONValue? {
    guard let value = fields[field], value != .null else { return nil }
    return value
  }

  func error(_ field: String, _ value: JSONValue, expected: String) -> DescriptionError {
    .invalid(file: file, field: place(field), value: value.shown, expected: expected)
  }

  /// A whole number within bounds; nil where the field is absent or null.
  func optionalInteger(_ field: String, in range: ClosedRange<Int>) throws(DescriptionError) -> Int? {
    guard let value = value(field) else { return nil }
    let expected = "a whole number in \(range.lowerBound)...\(range.upperBound)"
    guard case .number(let number) = value, let integer = Int(exactly: number), range.contains(integer)
    else { throw error(field, value, expected: expected) }
    return integer
  }

  /// A whole number within bounds.
  func integer(_ field: String, in range: ClosedRange<Int>) throws(DescriptionError) -> Int {
    guard let integer = try optionalInteger(field, in: range) else {
      throw .missing(
        file: file, field: place(field),
        expected: "a whole number in \(range.lowerBound)...\(range.upperBound)")
    }
    return integer
  }

  /// True or false; nil where the field is absent or null.
  func optionalFlag(_ field: String) throws(DescriptionError) -> Bool? {
    guard let value = value(field) else { return nil }
    guard case .flag(let flag) = value else { throw error(field, value, expected: "true or false") }
    return flag
  }

  /// A text; nil where the field is absent or null.
  func optionalText(_ field: String) throws(DescriptionError) -> String? {
    guard let value = value(field) else { return nil }
    guard case .text(let text) = value else { throw error(field, value, expected: "a text") }
    return text
  }

  /// An object inside this one; nil where the field is absent or null.
  func optionalObject(_ field: String) throws(DescriptionError) -> JSONObject? {
    guard let value = value(field) else { return nil }
    guard case .object(let fields) = value else { throw error(field, value, expected: "an object {…}") }
    return JSONObject(file: file, path: place(field), fields: fields)
  }

  /// A list of texts; nil where the field is absent or null.
  func optionalTexts(_ field: String) throws(DescriptionError) -> [String]? {
    guard let value = value(field) else { return nil }
    guard case .list(let list) = value else { throw error(field, value, expected: "a list of texts") }
    var texts: [String] = []
    for element in list {
      guard case .text(let text) = element else { throw error(field, element, expected: "a list of texts") }
      texts.append(text)
    }
    return texts
  }
}
