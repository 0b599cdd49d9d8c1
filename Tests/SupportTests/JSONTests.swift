import Foundation
import Support
import Testing

@Suite struct JSONReaderTests {
  func value(_ text: String) throws -> JSONValue {
    try JSONReader.value(Array(text.utf8), file: "f.json")
  }

  @Test func valuesOfEveryKind() throws {
    let value = try value(" {\"b\": [1, -2.5, true, false, null, \"x\"],\n\t\"a\": {}, \"c\": []}\r\n")
    #expect(
      value
        == .object([
          .init("b", .list([.integer(1), .real(-2.5), .flag(true), .flag(false), .null, .text("x")])),
          .init("a", .object([])), .init("c", .list([])),
        ]))
    #expect(try self.value("\u{feff}7") == .integer(7))
  }

  @Test(
    arguments: [
      ("0", .integer(0)), ("-12", .integer(-12)), ("12.0", .real(12)), ("0.001", .real(0.001)),
      ("1e3", .real(1000)), ("1E+3", .real(1000)), ("2.5e-3", .real(0.0025)), ("-0", .real(-0.0)),
      ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .real(9_223_372_036_854_775_808)),
      ("0.1234567890123456789", .real(0.1234567890123456789)),
      ("123456789012.345", .real(123456789012.345)), ("0.30000000000000004", .real(0.30000000000000004)),
      ("5e-324", .real(.leastNonzeroMagnitude)), ("1234567890.12345678", .real(1234567890.12345678)),
    ] as [(String, JSONValue)])
  func numbersAreExact(text: String, expected: JSONValue) throws {
    let value = try value(text)
    #expect(value == expected)
    #expect(value.number?.sign == expected.number?.sign)
  }

  /// Every double is read back from its shortest text.
  @Test func numbersAreReadBack() throws {
    for i in 0..<2000 {
      let bits = UInt64(i) &* 0x9e37_79b9_7f4a_7c15
      let wide = Double(bitPattern: bits)
      for number in [wide, Double(Int(bits >> 44)) / 1000, Double(bits >> 11) * 0x1p-53] where number.isFinite
      {
        #expect(try value(JSONWriter.text(number)).number == number)
      }
    }
  }

  @Test func textsWithEscapes() throws {
    #expect(try value(#""a\"\\\/\b\f\n\r\tz""#) == .text("a\"\\/\u{8}\u{c}\n\r\tz"))
    #expect(try value(#""\u0041é\u00e9\u20ac\ud83d\ude00""#) == .text("Aéé€😀"))
    #expect(try value(#""\ud83dx\udc00\ud83d\u0041""#) == .text("\u{fffd}x\u{fffd}\u{fffd}"))
  }

  @Test(arguments: [
    ("", "line 1: not valid JSON: the file ends where a value is expected"),
    ("{\"a\": 1,\n \"b\" 2}", "line 2: not valid JSON: expected ':' after the key 'b', not '2}'"),
    ("{\"a\": 1\n\"b\": 2}", "line 2: not valid JSON: expected ',' or '}', not '\"b\": 2}'"),
    ("[1, 2", "line 1: not valid JSON: the file ends where ',' or ']' is expected"),
    ("[1,]", "line 1: not valid JSON: expected a value, not ']'"),
    ("{a: 1}", "line 1: not valid JSON: expected a key in quotation marks, not 'a: 1}'"),
    ("{\"a\": 1,}", "line 1: not valid JSON: expected a key in quotation marks, not '}'"),
    ("{\"a\": nan}", "line 1: not valid JSON: expected a value, not 'nan}'"),
    ("tru", "line 1: not valid JSON: expected a value, not 'tru'"),
    ("01", "line 1: not valid JSON: expected a number without leading zeros, not '01'"),
    ("-", "line 1: not valid JSON: expected a number without leading zeros, not '-'"),
    ("1.", "line 1: not valid JSON: the file ends where a digit after the point is expected"),
    ("1e", "line 1: not valid JSON: the file ends where an exponent is expected"),
    ("\n1e999", "line 2: not valid JSON: the number 1e999 is out of range"),
    (
      "\"abc", "line 1: not valid JSON: the file ends where a quotation mark at the end of a text is expected"
    ),
    ("\"a\nb\"", "line 1: not valid JSON: expected a quotation mark at the end of a text, not ' b\"'"),
    (#""\x""#, "line 1: not valid JSON: expected one of \" \\ / b f n r t u after '\\', not 'x\"'"),
    (#""\u12g4""#, "line 1: not valid JSON: expected four hexadecimal digits, not '12g4\"'"),
    (#""\u+123""#, "line 1: not valid JSON: expected four hexadecimal digits, not '+123\"'"),
    ("1 2", "line 1: not valid JSON: expected the end of the file, not '2'"),
  ])
  func mistakesAreNamed(text: String, expected: String) {
    let error = #expect(throws: JSONError.self) { try value(text) }
    #expect(error?.description == "f.json: " + expected)
    #expect(error?.exitStatus == .dataError)
  }

  @Test func nestingHasALimit() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try value(nested(JSONReader.deepestNesting))
    #expect(throws: JSONError.self) { try value(nested(JSONReader.deepestNesting + 1)) }
    // Depth, not number: lists beside each other are no deeper.
    _ = try value("[" + Array(repeating: "[]", count: 1000).joined(separator: ",") + "]")
  }
}

@Suite struct JSONObjectTests {
  let object: JSONObject

  init() throws {
    let text = """
      {"n": 2.5, "i": 12.0, "f": true, "t": "x", "o": {"n": 1, "deep": {"t": 3}}, "l": ["a", "b"], "m": ["a", 1],
      "x": [1, 2.5], "y": [[1], [], [2, 3]], "z": [[1], ["a"]],
      "nothing": null, "twice": 1, "twice": 2}
      """
    object = try JSONReader.object(Array(text.utf8), file: "f.json")
  }

  @Test func fieldsOfEveryKind() throws {
    #expect(try object.number("n") == 2.5)
    #expect(try object.number("i", in: 12...12) == 12)
    #expect(try object.integer("i", in: 0...12) == 12)
    #expect(try object.optionalFlag("f") == true)
    #expect(try object.text("t") == "x")
    #expect(try object.optionalTexts("l") == ["a", "b"])
    #expect(try object.optionalList("m") == [.text("a"), .integer(1)])
    #expect(try object.integer("twice", in: 0...9) == 2)
    #expect(try object.numbers("x") == [1, 2.5])
    #expect(try object.rowsOfNumbers("y") == [[1], [], [2, 3]])
    #expect(try object.object("o").path == "o")
    let inner = try #require(try object.optionalObject("o"))
    #expect(inner.path == "o" && inner.place("n") == "o.n" && object.place("n") == "n")
    #expect(try inner.integer("n", in: 1...1) == 1)
    #expect(object.members.map(\.key).prefix(4) == ["n", "i", "f", "t"])
    #expect(object.members[4].value["n"] == .integer(1))
  }

  @Test(arguments: ["absent", "nothing"]) func absentFieldsAreNil(field: String) throws {
    #expect(object.value(field) == nil)
    #expect(try object.optionalNumber(field) == nil)
    #expect(try object.optionalInteger(field, in: 0...1) == nil)
    #expect(try object.optionalFlag(field) == nil)
    #expect(try object.optionalText(field) == nil)
    #expect(try object.optionalObject(field) == nil)
    #expect(try object.optionalList(field) == nil)
    #expect(try object.optionalTexts(field) == nil)
    let number = #expect(throws: JSONError.self) { try object.number(field) }
    #expect(number?.description == "f.json: field '\(field)' is missing; expected a number")
    let integer = #expect(throws: JSONError.self) { try object.integer(field, in: 1...2) }
    #expect(integer?.description == "f.json: field '\(field)' is missing; expected a whole number in 1...2")
    #expect(throws: JSONError.self) { try object.text(field) }
    #expect(throws: JSONError.self) { try object.object(field) }
    #expect(throws: JSONError.self) { try object.numbers(field) }
    #expect(throws: JSONError.self) { try object.rowsOfNumbers(field) }
  }

  @Test func wrongFieldsAreNamed() throws {
    func message(_ read: () throws -> Any?) -> String? {
      do {
        _ = try read()
        return nil
      } catch { return "\(error)" }
    }
    #expect(message { try object.number("t") } == "f.json: field 't' is 'x'; expected a number")
    #expect(
      message { try object.number("n", in: 0...1) }
        == "f.json: field 'n' is 2.5; expected a number in 0.0...1.0")
    #expect(
      message { try object.integer("n", in: 0...9) }
        == "f.json: field 'n' is 2.5; expected a whole number in 0...9")
    #expect(
      message { try object.integer("i", in: 0...11) }
        == "f.json: field 'i' is 12.0; expected a whole number in 0...11")
    #expect(message { try object.optionalFlag("n") } == "f.json: field 'n' is 2.5; expected true or false")
    #expect(message { try object.optionalText("f") } == "f.json: field 'f' is true; expected a text")
    #expect(
      message { try object.optionalObject("l") } == "f.json: field 'l' is a list; expected an object {…}")
    #expect(message { try object.optionalList("o") } == "f.json: field 'o' is an object; expected a list")
    #expect(message { try object.optionalTexts("m") } == "f.json: field 'm' is 1; expected a list of texts")
    #expect(message { try object.numbers("l") } == "f.json: field 'l[0]' is 'a'; expected a number")
    #expect(message { try object.numbers("t") } == "f.json: field 't' is 'x'; expected a list of numbers")
    #expect(message { try object.rowsOfNumbers("z") } == "f.json: field 'z[1][0]' is 'a'; expected a number")
    #expect(
      message { try object.rowsOfNumbers("x") } == "f.json: field 'x[0]' is 1; expected a list of numbers")
    let deep = try #require(try object.optionalObject("o")?.optionalObject("deep"))
    #expect(message { try deep.text("t") } == "f.json: field 'o.deep.t' is 3; expected a text")
  }

  @Test func filesThatAreNoObjects() {
    let list = #expect(throws: JSONError.self) { try JSONReader.object([91, 93], file: "f.json") }
    #expect(list?.description == "f.json: the top level is not a JSON object {…}")
    let missing = #expect(throws: JSONError.self) { try JSONReader.object(path: "/no/such.json") }
    #expect(missing?.description == "/no/such.json: cannot be read: no such file")
    #expect(missing?.exitStatus == .noInput)
  }
}

@Suite struct JSONWriterTests {
  @Test func membersKeepTheirOrder() {
    var json = JSONWriter()
    json.object { json in
      json.member("z", 1)
      json.member("a", 2.5)
      json.member("none", Int?.none)
      json.member("some", "x" as String?)
      json.member("raw", json: "1e3")
      json.array("l") {
        $0.element(true)
        $0.object { $0.member("k", [1.0, 2]) }
        $0.element(json: "[]")
      }
      json.object("o") { _ in }
    }
    #expect(
      json.text == #"{"z": 1, "a": 2.5, "none": null, "some": "x", "raw": 1e3, "#
        + #""l": [true, {"k": [1.0, 2.0]}, []], "o": {}}"#)
  }

  @Test func linesAreIndented() {
    var json = JSONWriter()
    json.object(layout: .lines) { json in
      json.member("a", 1)
      json.array("l", layout: .lines) {
        $0.object { $0.member("b", 2) }
        $0.object(layout: .lines) { $0.member("c", 3) }
      }
      json.array("empty", layout: .lines) { _ in }
    }
    #expect(
      json.text == """
        {
          "a": 1,
          "l": [
            {"b": 2},
            {
              "c": 3
            }
          ],
          "empty": []
        }
        """)
  }

  @Test(arguments: [
    ("plain ü", "\"plain ü\""), ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t\u{1}\u{1f}", #""\n\r\t\u0001\u001f""#),
  ])
  func textsAreEscaped(text: String, expected: String) throws {
    let written = JSONWriter.text(text)
    #expect(written == expected)
    #expect(try JSONReader.value(Array(written.utf8), file: "") == .text(text))
  }

  @Test func numbersAreNumbers() {
    #expect(JSONWriter.text(Double.nan) == "null" && JSONWriter.text(-Double.infinity) == "null")
    #expect(JSONWriter.text(0.1) == "0.1" && JSONWriter.text(1e300) == "1e+300")
    #expect(JSONWriter.text(UInt64.max) == "18446744073709551615")
    #expect(JSONWriter.text(Int64.min) == "-9223372036854775808" && JSONWriter.text(Int32(5)) == "5")
  }

  @Test func piecesAreTheWhole() {
    var json = JSONWriter()
    var pieces: [String] = []
    json.array { json in
      for i in 0..<3 {
        json.element(i)
        pieces.append(json.take())
      }
    }
    pieces.append(json.take())
    #expect(pieces == ["[0", ", 1", ", 2", "]"])
    #expect(json.text.isEmpty)
  }

  /// What is read is written as it was, and what Foundation makes of it is the same.
  @Test func readingAndWritingAgree() throws {
    let text = #"{"b": [1, -2.5, true, null, "x\ny"], "a": {"c": {}}, "d": [], "e": 1e+300}"#
    let value = try JSONReader.value(Array(text.utf8), file: "")
    #expect(JSONWriter.text(value) == text)
    let ours = try JSONSerialization.jsonObject(with: Data(JSONWriter.text(value).utf8)) as? NSDictionary
    let theirs = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
    #expect(ours == theirs && ours != nil)
  }
}
