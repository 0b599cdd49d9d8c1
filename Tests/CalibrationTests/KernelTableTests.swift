import Serving
import Support
import Testing

@testable import Calibration
@testable import CostModels

@Suite struct KernelTableTests {
  private func table(_ text: String) throws -> KernelTable {
    try KernelTable(bytes: Array(text.utf8), path: "t.csv")
  }

  @Test func readsMetadataColumnsAndRows() throws {
    let table = try table("# gpu: h200-sxm\n# note: a: b\nm,latency_us\n1,2.5\n\n16,3\n")
    #expect(table.value("gpu") == "h200-sxm")
    #expect(table.value("note") == "a: b")
    let m = try table.integers("m")
    #expect(m == [1, 16])
    let seconds = try table.seconds()
    #expect(seconds == [2.5 * 1e-6, 3 * 1e-6])
    #expect(table.line(ofRow: 1) == 6)
  }

  @Test(arguments: [
    ("m,latency_us\n1,2", "t.csv: line 2: the last line is cut short: it has no line end"),
    ("m,latency_us\n1\n", "t.csv: line 2: row: '1 fields' should be 2 fields, as in the header"),
    ("m,latency_us\n1,2,3\n", "t.csv: line 2: row: '3 fields' should be 2 fields, as in the header"),
    ("# rows: 3\nm,latency_us\n1,2\n", "t.csv: 1 rows, but its header promises 3"),
    ("", "t.csv: the file is empty; expected a header, a line with the names of the columns"),
  ])
  func refusesATableThatIsNotWhole(text: String, message: String) {
    let error = #expect(throws: CalibrationError.self) { try table(text) }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    ("nan", "t.csv:3: latency_us is 'nan', expected a number that is not negative"),
    ("-1", "t.csv:3: latency_us is '-1', expected a number that is not negative"),
    ("fast", "t.csv:3: latency_us is 'fast', expected a number that is not negative"),
    ("inf", "t.csv:3: latency_us is 'inf', expected a number that is not negative"),
    ("0", "t.csv:3: latency_us is 0, expected a positive time"),
  ])
  func refusesATimeThatIsNone(time: String, message: String) throws {
    let table = try table("m,latency_us\n1,2\n2,\(time)\n")
    let error = #expect(throws: CalibrationError.self) { try table.seconds() }
    #expect(error?.description == message)
  }

  @Test func namesTheColumnsThatItFoundInsteadOfTheOneThatItLacks() throws {
    let table = try table("m,latency\n1,2\n")
    let error = #expect(throws: CalibrationError.self) { try table.seconds() }
    #expect(error?.description == "t.csv: no column 'latency_us'; its header has m, latency")
  }

  @Test func refusesBrokenNumbersWhereWholeOnesAreDue() throws {
    let table = try table("m\n1.5\n")
    let error = #expect(throws: CalibrationError.self) { try table.integers("m") }
    #expect(error?.description == "t.csv:2: m is 1.5, expected a whole number")
  }

  @Test func saysWhichFileIsMissing() {
    let error = #expect(throws: CalibrationError.self) { try KernelTable(path: "/nowhere/gemm.csv") }
    #expect(error?.description == "/nowhere/gemm.csv: cannot be read: no such file")
    #expect(error?.exitStatus == .noInput)
  }
}
