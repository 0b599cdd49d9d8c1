import Foundation
import ResultStore
import Serving
import Support
import Testing

struct ResultReaderTests {
  let directory: TemporaryDirectory
  let reader: ResultReader

  init() throws {
    directory = try TemporaryDirectory()
    try SampleRun.write(to: directory.database)
    reader = try ResultReader(path: directory.database)
  }

  @Test func valuesKeepTheirTypes() throws {
    let table = try reader.query("SELECT 1 AS i, 2.5 AS r, 'x' AS t, NULL AS n, x'00ff' AS b;")
    #expect(table.columns == ["i", "r", "t", "n", "b"])
    #expect(table.rows == [[1, 2.5, "x", nil, "x'00ff'"]])
  }

  @Test(arguments: [
    "DELETE FROM runs", "INSERT INTO runs (policy) VALUES ('x') RETURNING run_id", "DROP TABLE runs", "BEGIN",
    "COMMIT",
    "ATTACH 'other.sqlite' AS other", "VACUUM", "PRAGMA user_version = 7", "CREATE TEMP TABLE t (a)",
  ])
  func whatIsNotASelectIsRefused(sql: String) throws {
    #expect(throws: ResultStoreError.notASelect) { try reader.query(sql) }
    #expect(try reader.runs().rows.count == 1)
  }

  @Test(arguments: [
    ("SELECT nowhere FROM runs", "no such column: nowhere"), ("SELEC", "near \"SELEC\": syntax error"),
    ("", "empty"),
    ("SELECT 1; SELECT 2", "one SELECT"), ("SELECT ?", "parameter"), ("SELECT sqrt(1, 2)", "wrong number"),
  ])
  func whatIsWrongIsNamed(sql: String, reason: String) throws {
    let error = #expect(throws: ResultStoreError.self) { try reader.query(sql) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    #expect(error?.exitStatus == .usage)
  }

  @Test func rowsAreFetchedUpToALimit() throws {
    let some = try reader.query("SELECT iter FROM iterations ORDER BY iter", maximumRows: 2)
    #expect(some.rows == [[0], [1]])
    #expect(some.isTruncated)
    #expect(try !reader.query("SELECT iter FROM iterations", maximumRows: 7).isTruncated)
  }

  @Test func runsThatAreAddedAreSeen() throws {
    try SampleRun.write(to: directory.database)
    #expect(try reader.runs().rows.count == 2)
  }

  @Test func aTableForTheEye() {
    let text = table.formatted(as: .table)
    #expect(
      text == """
        policy   requests  ttft_ms
        -------  --------  -------
        chunked      1000  12.3457
        a,"b" c         2

        """)
  }

  @Test func columnsWithoutRoomAreNamed() {
    #expect(
      table.formatted(as: .table, width: 20, digits: 3) == """
        policy   requests
        -------  --------
        chunked      1000
        a,"b" c         2
        (no room for ttft_ms)

        """)
    let large = ResultTable(columns: ["x"], rows: [[123456.7], [0.00012345]])
    #expect(large.formatted(as: .table, digits: 4) == "        x\n---------\n   123457\n0.0001234\n")
  }

  @Test func aTableAsCSV() {
    #expect(
      table.formatted(as: .csv) == "policy,requests,ttft_ms\nchunked,1000,12.345678\n\"a,\"\"b\"\"\nc\",2,\n")
  }

  @Test func aTableAsJSON() throws {
    let text = table.formatted(as: .json)
    #expect(
      text == """
        [
        {"policy": "chunked", "requests": 1000, "ttft_ms": 12.345678},
        {"policy": "a,\\"b\\"\\nc", "requests": 2, "ttft_ms": null}
        ]

        """)
    #expect(try JSONSerialization.jsonObject(with: Data(text.utf8)) is [Any])
    #expect(ResultTable(columns: ["a"], rows: []).formatted(as: .json) == "[]\n")
    let odd = ResultTable(columns: ["\u{1}"], rows: [[.real(.infinity)], ["\\ \t é 😀"]]).formatted(as: .json)
    #expect(try JSONSerialization.jsonObject(with: Data(odd.utf8)) is [Any])
  }

  private let table = ResultTable(
    columns: ["policy", "requests", "ttft_ms"],
    rows: [["chunked", 1_000, 12.345678], ["a,\"b\"\nc", 2, nil]])
}
