import Support
import Testing

@Suite struct CSVReaderTests {
  func reader(_ text: String, _ options: CSVReader.Options = []) throws -> CSVReader {
    try CSVReader(Array(text.utf8), file: "t.csv", options: options)
  }

  /// All rows as texts, each after its line.
  func rows(_ text: String, _ options: CSVReader.Options = []) throws -> [String] {
    var reader = try reader(text, options)
    var rows: [String] = []
    while try reader.next() {
      let cells = reader.header.indices.map { reader.text($0) }
      rows.append("\(reader.line): " + cells.joined(separator: "|"))
    }
    return rows
  }

  func message(_ text: String, _ options: CSVReader.Options = []) -> String? {
    do {
      _ = try rows(text, options)
      return nil
    } catch { return "\(error)" }
  }

  @Test func rowsAndTheirLines() throws {
    let rows = try rows("a,b\n1,2\n\n 3 ,\t4\n,\n")
    #expect(rows == ["2: 1|2", "4: 3|4", "5: |"])
  }

  @Test func lastLinesMayLackTheirEnd() throws {
    #expect(try rows("a,b\n1,2") == ["2: 1|2"])
    #expect(try rows("a\n1\n  ") == ["2: 1"])
    #expect(try rows("a,b") == [])
  }

  @Test func byteOrderMarksAndCarriageReturns() throws {
    let rows = try rows("\u{feff}\r\na,\"b\"\r\n1,\"2\"\r\n\r\n3,4\r\n")
    #expect(rows == ["3: 1|2", "5: 3|4"])
    let header = try reader("\u{feff}a, b \r\n").header
    #expect(header == ["a", "b"])
  }

  @Test func quotedFieldsHoldAnything() throws {
    let rows = try rows("a,b\n\"x,y\",\"one\ntwo\"\n\"say \"\"so\"\"\" , \"\"\n1,2\n")
    #expect(rows == ["2: x,y|one\ntwo", "4: say \"so\"|", "5: 1|2"])
  }

  @Test func columnsAreFoundWhateverTheirCase() throws {
    let reader = try reader("Time,PROMPT tokens\n")
    #expect(try reader.column("prompt Tokens") == 1)
    #expect(reader.firstColumn("time") == 0)
    #expect(reader.firstColumn("tim") == nil)
    let error = #expect(throws: CSVError.self) { try reader.column("output") }
    #expect(error?.description == "t.csv: no column 'output'; its header has Time, PROMPT tokens")
  }

  @Test func numbersAndTheirBounds() throws {
    var reader = try reader("a,b,c\n1.5e3, -7 ,x\n12.0,2.5,\n")
    #expect(try reader.next())
    #expect(try reader.number(0) == 1500)
    #expect(try reader.number(1, in: -7...0) == -7)
    #expect(throws: CSVError.self) { try reader.number(1, in: -6.9...0) }
    #expect(throws: CSVError.self) { try reader.integer(1) }
    let error = #expect(throws: CSVError.self) { try reader.number(2, expected: "a time in ms") }
    #expect(error?.description == "t.csv: line 2: c: 'x' should be a time in ms")
    #expect(try reader.next())
    #expect(try reader.integer(0, in: 12...12) == 12)
    #expect(throws: CSVError.self) { try reader.integer(0, in: 0...11) }
    #expect(throws: CSVError.self) { try reader.integer(1) }
    #expect(throws: CSVError.self) { try reader.number(2) }
    #expect(reader[0] == 19..<23)
    #expect(try reader.next() == false)
  }

  @Test func commentsStandWhereTheyLike() throws {
    let text = "# gpu: H100\r\n#two\n\na,b\n1,2\n# three\n3,4\n"
    #expect(try rows(text, .comments) == ["5: 1|2", "7: 3|4"])
    var reader = try reader(text, .comments)
    #expect(reader.comments == [" gpu: H100", "two"])
    while try reader.next() {}
    #expect(reader.comments == [" gpu: H100", "two", " three"])
    #expect(try rows("a\n#1\n") == ["2: #1"])
  }

  @Test(arguments: [
    ("", "t.csv: the file is empty; expected a header, a line with the names of the columns"),
    (" \n\n", "t.csv: the file is empty; expected a header, a line with the names of the columns"),
    ("\na,\"b\n1,2\n", "t.csv: line 2: header: 'a,b 1,2 ' should be closed by a quotation mark"),
    (
      "a,b\n1,\"2\n3\n",
      "t.csv: line 2: b: '2 3 ' should be closed by a quotation mark and followed by a comma"
    ),
    (
      "a,b\n1,\"2\"3\n",
      "t.csv: line 2: b: '2' should be closed by a quotation mark and followed by a comma"
    ),
    (
      "a\n1,\"2\n", "t.csv: line 2: row: '2 ' should be closed by a quotation mark and followed by a comma"
    ),
    ("a,b\n1,2\n3\n", "t.csv: line 3: row: '1 fields' should be 2 fields, as in the header"),
    ("a,b\n1,2,3\n", "t.csv: line 2: row: '3 fields' should be 2 fields, as in the header"),
  ])
  func mistakesAreNamed(text: String, expected: String) {
    let message = message(text)
    #expect(message == expected)
  }

  @Test(arguments: ["a,b", "a,b\n1,2", "a,b\n#", "a,b\n1,\"2\""]) func aFileThatWasCutShort(text: String) {
    let options: CSVReader.Options = [.comments, .lastLineEnds]
    let line = text.contains("\n") ? 2 : 1
    #expect(message(text, options) == "t.csv: line \(line): the last line is cut short: it has no line end")
    #expect(message(text + "\n", options) == nil)
    #expect(message(text) == nil || text.hasSuffix("#"))
  }

  @Test func longValuesAreShortened() {
    let message = message("a\n\"" + String(repeating: "x", count: 500))
    let expected = String(repeating: "x", count: 80) + "…"
    #expect(message?.contains("'\(expected)'") ?? false)
    #expect("a\tb\u{7f}".onOneLine() == "a b ")
    #expect("abcd".onOneLine(limit: 4) == "abcd" && "abcde".onOneLine(limit: 4) == "abcd…")
  }
}
