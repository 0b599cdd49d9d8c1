import Foundation
import Support
import Testing

/// Files get their names once they are whole.
@Suite final class WholeFileTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "whole-file-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appending(path: name).path }
  func text(_ name: String) throws -> String {
    String(decoding: try WholeFile.bytes(of: path(name)), as: UTF8.self)
  }
  var contents: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  @Test func aFileThatIsNotFinishedLeavesTheOldOne() throws {
    try WholeFile.replace(path("a"), with: "old")
    do {
      let torn = try WholeFile(path: path("a"))
      torn.write(String(repeating: "new", count: 100_000))
      #expect(contents.count == 2)
    }
    #expect(try text("a") == "old")
    #expect(contents == ["a"])
  }

  @Test func aFileIsReplacedAtItsEnd() throws {
    for text in ["first, longer", "second"] {
      let file = try WholeFile(path: path("a"))
      file.write(text)
      file.write(Array("!".utf8))
      try file.finish()
      #expect(try self.text("a") == text + "!")
    }
    #expect(contents == ["a"])
  }

  @Test func longFilesAreWhole() throws {
    let file = try WholeFile(path: path("a"))
    for i in 0..<40_000 { file.write("\(i)\n") }
    try file.finish()
    #expect(try text("a") == (0..<40_000).map { "\($0)\n" }.joined())
  }

  @Test(arguments: ["", "missing/a"]) func whatCannotBeCreatedIsSaid(name: String) throws {
    let path = path(name)
    let error = #expect(throws: FileError.self) { try WholeFile(path: path) }
    #expect(error?.exitStatus == .cannotCreate)
    #expect(error?.reason == (name.isEmpty ? "it is a folder" : "no such file or directory"))
  }

  @Test func aFullDiskIsSaid() throws {
    let file = try WholeFile(path: "/dev/full")
    file.write("x")
    let error = #expect(throws: FileError.self) { try file.finish() }
    #expect(error == .cannotWrite(path: "/dev/full", reason: "no space left on device"))
    #expect(error?.exitStatus == .ioError)
  }

  @Test func whatCannotBeReadIsSaid() throws {
    let missing = #expect(throws: FileError.self) { try WholeFile.bytes(of: path("none")) }
    #expect(missing?.reason == "no such file" && missing?.exitStatus == .noInput)
    let folder = #expect(throws: FileError.self) { try WholeFile.bytes(of: path("")) }
    #expect(folder?.reason == "it is a folder, not a file")
    #expect(try WholeFile.bytes(of: "/dev/null").isEmpty)
  }
}
