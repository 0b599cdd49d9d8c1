import Foundation
import Serving
import Support
import Testing
import Workloads

@Suite struct TraceFileTests {
  @Test(arguments: Shipped.names)
  func theDigestOfAModelIsThatOfItsFile(name: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(Shipped.directory)/\(name).json"))
    #expect(try Shipped.model(name).digest == SHA256.hexDigest(of: Array(data)))
  }

  @Test func compressedFilesAreToBeUnpacked() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).csv.gz")
    try Data([0x1f, 0x8b, 0x08, 0x00]).write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    let error = #expect(throws: WorkloadError.self) { try TraceFile.read(path.path) }
    #expect(error?.description.contains("gunzip") == true)
  }

  @Test func aMissingFileIsNamed() {
    let error = #expect(throws: WorkloadError.self) { try TraceFile.read("/nowhere/trace.csv") }
    #expect(error?.description == "cannot read trace /nowhere/trace.csv: no such file")
    #expect(error?.exitStatus == .noInput)
  }
}
