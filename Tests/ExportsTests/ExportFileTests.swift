import Serving
import Support
import TestSupport
import Testing

@testable import Exports

/// Files get their names once they are whole.
struct ExportFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func aFileThatIsNotFinishedLeavesTheOldOne() throws {
    let old = try ExportFile(path: folder.file("a"))
    old.write("old")
    try old.finish()
    do {
      let torn = try ExportFile(path: folder.file("a"))
      torn.write(String(repeating: "new", count: 100_000))
    }
    #expect(try folder.text("a") == "old")
    #expect(folder.contents == ["a"])
  }

  @Test func aFileIsReplacedAtItsEnd() throws {
    for text in ["first, longer", "second"] {
      let file = try ExportFile(path: folder.file("a"))
      file.write(text)
      try file.finish()
      #expect(try folder.text("a") == text)
    }
    #expect(folder.contents == ["a"])
  }

  @Test(arguments: ["", "missing/a"]) func whatCannotBeCreatedIsSaid(name: String) throws {
    let error = #expect(throws: ExportError.self) { try ExportFile(path: folder.file(name)) }
    #expect(error?.exitStatus == .cannotCreate)
  }

  @Test func aFullDiskIsSaid() throws {
    let file = try ExportFile(path: "/dev/full")
    file.write("x")
    let error = #expect(throws: ExportError.self) { try file.finish() }
    #expect(error?.exitStatus == .ioError)
  }

  @Test func lanesAreUsedAnew() {
    var lanes = TimelineLanes()
    #expect(
      [(0, 4), (1, 3), (3, 5), (3.5, 6), (4, 9)].map { lanes.take(from: $0.0, to: $0.1) } == [0, 1, 1, 2, 0])
    #expect(lanes.count == 3)
  }
}
