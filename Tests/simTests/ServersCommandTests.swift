import Foundation
import TestSupport
import Testing

@testable import sim

/// `sim validate servers` and what it refuses.
@Suite struct ServersCommandTests {
  static let table = "Results/published/servers/given.csv"

  @Test(arguments: [
    (["--only", "zzz"], "--only zzz: expected a part of a row's key, such as deepseek-r1"),
    (["--jobs", "0"], "--jobs 0: expected 1 to 1024"), (["--jobs", "-2"], "--jobs -2: expected 1 to 1024"),
    (["--sample", "0"], "--sample 0"),
    (["--output", "/nonexistent/folder/x.csv"], "/nonexistent/folder"),
  ])
  func badInputIsOneLine(arguments: [String], message: String) throws {
    let outcome = try Binary.run(["validate", "servers", Self.table] + arguments)
    #expect((64...78).contains(outcome.status) && outcome.output.isEmpty)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }

  /// A table without rows, and one without models beside it.
  @Test func whatATableLacksIsNamed() throws {
    let folder = try TemporaryFolder()
    let text = try String(contentsOf: Binary.root.appending(path: Self.table), encoding: .utf8)
    let lines = text.split(separator: "\n").map(String.init)
    let empty = try Binary.run(["validate", "servers", try folder.file("empty.csv", lines[0] + "\n")])
    #expect(empty.status == 64 && empty.errors.contains("empty.csv: no rows"), "\(empty.errors)")
    let path = try folder.file("some.csv", lines.prefix(3).joined(separator: "\n") + "\n")
    let alone = try Binary.run(["validate", "servers", path])
    #expect(alone.status == 64 && alone.errors.contains("/models: no such folder"), "\(alone.errors)")
  }

  @Test func aMissingModelIsNamed() throws {
    let folder = try TemporaryFolder()
    let text = try String(contentsOf: Binary.root.appending(path: Self.table), encoding: .utf8)
    let path = try folder.file(
      "some.csv", text.split(separator: "\n").prefix(3).joined(separator: "\n") + "\n")
    try FileManager.default.createDirectory(
      atPath: folder.file("models"), withIntermediateDirectories: true)
    let outcome = try Binary.run(["validate", "servers", path])
    #expect(
      outcome.output.contains("2 are not: no models/deepseek-r1.fp4.json beside the table"),
      "\(outcome.output)")
  }

  /// Why a row is not replayed is said whole, however long that is.
  @Test func reasonsAreNotCut() throws {
    let folder = try TemporaryFolder()
    let text = try String(contentsOf: Binary.root.appending(path: Self.table), encoding: .utf8)
    let lines = text.split(separator: "\n").map(String.init)
    let path = try folder.file("some.csv", lines.prefix(2).joined(separator: "\n") + "\n")
    try FileManager.default.createDirectory(
      atPath: folder.file("models"), withIntermediateDirectories: true)
    try Data(
      "{\"architectures\": [\"AnArchitectureWithSoLongANameThatNobodyWouldEverHaveThoughtOfItForCausalLM\"]}"
        .utf8
    )
    .write(to: URL(filePath: folder.file("models/deepseek-r1.fp4.json")))
    let outcome = try Binary.run(["validate", "servers", path])
    #expect(outcome.output.contains("1 are not: "), "\(outcome.errors)")
    let reason = outcome.output.split(separator: "\n").first { $0.contains("1 are not") } ?? ""
    #expect(reason.count > 100, "\(outcome.output)")
  }
}
