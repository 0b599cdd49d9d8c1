import Foundation
import Serving
import Support
import Testing

@testable import Workloads

@Suite struct WorkloadSpecificationTests {
  /// Writes a file for the length of a test.
  static func with(_ text: String, _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).csv")
    try Data(text.utf8).write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    try body(path.path)
  }

  static func load(_ specification: WorkloadSpecification) throws -> Workload {
    try specification.load(tracesDirectory: Shipped.directory)
  }

  static let untimed = "prompt_len,output_len\n1,10\n2,20\n3,30\n"

  @Test(arguments: Shipped.names)
  func shippedTracesLoadByName(name: String) throws {
    let workload = try Self.load(WorkloadSpecification(trace: name, requestRate: 2))
    #expect(workload.name == name)
    #expect(workload.count == 1200)
    #expect(workload.arrivals == .poisson(rate: 2))
    #expect(workload.digest.count == 64)
    #expect(Array(workload).count == 1200)
  }

  @Test func theCatalogNamesAllShippedTraces() {
    #expect(TraceCatalog(directory: Shipped.directory).names == Shipped.names)
    #expect(TraceCatalog(directory: "/nowhere").names == [])
  }

  @Test(arguments: [
    ("arxv", "did you mean 'arxiv'?"), ("share", "did you mean 'sharegpt'?"),
    ("xyz", "shipped traces: arxiv,"),
    ("", "shipped traces: arxiv,"), ("/nowhere/at/all.csv", "unknown trace '/nowhere/at/all.csv'"),
  ])
  func unknownTracesLeadToKnownOnes(trace: String, part: String) {
    let error = #expect(throws: WorkloadError.self) { try Self.load(WorkloadSpecification(trace: trace)) }
    #expect(error?.description.contains(part) == true)
    #expect(error?.exitStatus == .usage)
  }

  @Test func aFolderIsNoTrace() {
    let error = #expect(throws: WorkloadError.self) {
      try Self.load(WorkloadSpecification(trace: Shipped.directory))
    }
    #expect(error?.exitStatus == .noInput)
  }

  @Test func aFileWithArrivalsIsPlayedWithThem() throws {
    try Self.with(WorkloadTests.timed) { path in
      let own = try Self.load(WorkloadSpecification(trace: path))
      #expect(own.arrivals == .trace(timeScale: 1))
      #expect(own.count == 3)
      let scaled = try Self.load(WorkloadSpecification(trace: path, timeScale: 2, numPrompts: 2))
      #expect(scaled.arrivals == .trace(timeScale: 2))
      #expect(scaled.count == 2)
      let generated = try Self.load(WorkloadSpecification(trace: path, requestRate: 0.5))
      #expect(generated.arrivals == .poisson(rate: 0.5))
      #expect(generated.count == 300)
    }
  }

  @Test func aFileWithoutArrivalsIsPlayedByRate() throws {
    try Self.with(Self.untimed) { path in
      let byDefault = try Self.load(WorkloadSpecification(trace: path))
      #expect(byDefault.arrivals == .poisson(rate: WorkloadSpecification.defaultRequestRate))
      let bursty = try Self.load(WorkloadSpecification(trace: path, requestRate: 2, burstiness: 0.5))
      #expect(bursty.arrivals == .gamma(rate: 2, burstiness: 0.5))
      let smooth = try Self.load(WorkloadSpecification(trace: path, burstiness: 1))
      #expect(smooth.arrivals == .poisson(rate: WorkloadSpecification.defaultRequestRate))
      let once = try Self.load(WorkloadSpecification(trace: path, requestRate: .infinity))
      #expect(once.arrivals == .allAtOnce)
      #expect(once.count == 3)
      let constant = try Self.load(WorkloadSpecification(trace: path, arrivals: .constant, requestRate: 0.29))
      #expect(constant.count == 174)
      #expect(try Self.load(WorkloadSpecification(trace: path, requestRate: 1e-4)).count == 1)
    }
  }

  @Test func shufflingKeepsTheRowsAndFollowsTheSeed() throws {
    let text = "prompt_len,output_len\n" + (1...50).map { "\($0),\($0)\n" }.joined()
    try Self.with(text) { path in
      func prompts(seed: UInt64) throws -> [Int] {
        let specification = WorkloadSpecification(
          trace: path, arrivals: .allAtOnce, shuffle: true, seed: seed)
        return try Self.load(specification).map(\.promptTokens)
      }
      let first = try prompts(seed: 1)
      #expect(first != Array(1...50))
      #expect(first.sorted() == Array(1...50))
      #expect(try prompts(seed: 1) == first)
      #expect(try prompts(seed: 2) != first)
    }
  }

  @Test(arguments: [
    (WorkloadSpecification(trace: "arxiv", requestRate: 0), "--request-rate 0.0: should be"),
    (WorkloadSpecification(trace: "arxiv", requestRate: -1), "--request-rate -1.0"),
    (WorkloadSpecification(trace: "arxiv", requestRate: .nan), "--request-rate nan"),
    (WorkloadSpecification(trace: "arxiv", requestRate: 1e300), "--request-rate 1e+300"),
    (WorkloadSpecification(trace: "arxiv", burstiness: 0), "--burstiness 0.0"),
    (WorkloadSpecification(trace: "arxiv", burstiness: .infinity), "--burstiness inf"),
    (WorkloadSpecification(trace: "arxiv", burstiness: .nan), "--burstiness nan"),
    (WorkloadSpecification(trace: "arxiv", timeScale: 0), "--time-scale 0.0"),
    (WorkloadSpecification(trace: "arxiv", timeScale: .nan), "--time-scale nan"),
    (WorkloadSpecification(trace: "arxiv", numPrompts: 0), "--num-prompts 0"),
    (WorkloadSpecification(trace: "arxiv", numPrompts: .max), "--num-prompts 9223372036854775807"),
    (
      WorkloadSpecification(trace: "arxiv", arrivals: .trace),
      "--arrivals trace: arxiv has lengths but no arrivals"
    ),
    (WorkloadSpecification(trace: "arxiv", timeScale: 2), "--time-scale: poisson arrivals"),
    (
      WorkloadSpecification(trace: "arxiv", arrivals: .constant, burstiness: 2),
      "--burstiness 2.0: goes with gamma"
    ),
    (
      WorkloadSpecification(trace: "arxiv", arrivals: .poisson, burstiness: 2),
      "--burstiness 2.0: goes with gamma"
    ),
    (
      WorkloadSpecification(trace: "arxiv", arrivals: .allAtOnce, requestRate: 2),
      "--request-rate 2.0: contradicts"
    ),
    (WorkloadSpecification(trace: "arxiv", arrivals: .gamma, requestRate: .infinity), "--request-rate inf"),
    (
      WorkloadSpecification(trace: "arxiv", arrivals: .trace, requestRate: 2),
      "--request-rate 2.0: the trace's own"
    ),
    (WorkloadSpecification(trace: "arxiv", arrivals: .allAtOnce), "--num-prompts: missing"),
  ])
  func senselessOptionsAreRefused(specification: WorkloadSpecification, part: String) {
    let error = #expect(throws: WorkloadError.self) { try Self.load(specification) }
    #expect(error?.description.hasPrefix(part) == true)
    #expect(error?.exitStatus == .usage)
  }

  @Test func shufflingOwnArrivalsIsRefused() throws {
    try Self.with(WorkloadTests.timed) { path in
      _ = #expect(throws: WorkloadError.self) {
        try Self.load(WorkloadSpecification(trace: path, shuffle: true))
      }
    }
  }

  /// What looks like parameters without brackets is no name.
  @Test(arguments: ["chat:share=2,ttft=1", "a=b", "chat[", ""]) func punctuationIsNoNameOfAClass(name: String)
  {
    #expect(throws: WorkloadError.self) { try RequestClass.check([RequestClass(name: name)]) }
  }

  @Test func wordsAreNamesOfClasses() throws { try RequestClass.check([RequestClass(name: "chat-2.b")]) }
}
