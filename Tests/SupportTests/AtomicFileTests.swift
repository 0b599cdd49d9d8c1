import Foundation
import TestSupport
import Testing

@testable import Support

/// Whatever goes wrong, a file is the old one or the new one.
@Suite struct AtomicFileTests {
  private struct Failure: Error {}

  private func names(beside file: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: file.deletingLastPathComponent().path)
  }

  @Test func replacesAFile() throws {
    try ScratchFolder.with("c.json", "a much longer old text") { file in
      try AtomicFile.replace(file.path) { try $0.write(contentsOf: Data("new".utf8)) }
      let text = try String(contentsOf: file, encoding: .utf8)
      let names = try names(beside: file)
      #expect(text == "new" && names == ["c.json"])
    }
  }

  @Test func aFailureHalfWayLeavesTheOldFileAndNoOther() throws {
    try ScratchFolder.with("c.json", "old") { file in
      #expect(throws: Failure.self) {
        try AtomicFile.replace(file.path) {
          try $0.write(contentsOf: Data("ne".utf8))
          throw Failure()
        }
      }
      let text = try String(contentsOf: file, encoding: .utf8)
      let names = try names(beside: file)
      #expect(text == "old" && names == ["c.json"])
    }
  }

  @Test func aFullDiskLeavesTheOldFile() throws {
    // Writes to /dev/full fail as on a full disk; what is replaced is a file beside it that nothing was renamed to.
    try ScratchFolder.with("c.json", "old") { file in
      let error = #expect(throws: (any Error).self) {
        try AtomicFile.replace(file.path) { _ in
          let full = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))
          try full.write(contentsOf: Data("new".utf8))
        }
      }
      #expect(error.map(AtomicFile.reason) == "No space left on device")
      let text = try String(contentsOf: file, encoding: .utf8)
      let names = try names(beside: file)
      #expect(text == "old" && names == ["c.json"])
    }
  }

  @Test func anUnfinishedFileOfAKilledProcessIsInNobodysWay() throws {
    try ScratchFolder.with("c.json", "old") { file in
      try Data("{\"gpu\": ".utf8).write(to: URL(filePath: "\(file.path).\(getpid()).unfinished"))
      try AtomicFile.replace(file.path) { try $0.write(contentsOf: Data("new".utf8)) }
      let text = try String(contentsOf: file, encoding: .utf8)
      let names = try names(beside: file)
      #expect(text == "new" && names == ["c.json"])
    }
  }
}
