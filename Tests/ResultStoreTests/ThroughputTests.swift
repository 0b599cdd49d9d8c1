import Foundation
import ResultStore
import Serving
import Statistics
import Testing

/// Prints how fast runs are stored; not a test of speed, which depends on the machine.
///
///     SIM_BENCHMARK=1 swift test --disable-xctest --filter ResultStoreTests.ThroughputTests
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SIM_BENCHMARK"] != nil), .serialized)
struct ThroughputTests {
  @Test(arguments: [(1_000_000, 1), (1_000_000, 8), (5_000_000, 1)])
  func iterations(count: Int, instances: Int) throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    for run in 1...2 {
      var recorder: any Recorder = writer
      var nothing: any Recorder = NoRecorder()
      let clock = ContinuousClock()
      let start = Self.threadSeconds
      Self.record(count, instances: instances, in: &nothing)
      let middle = Self.threadSeconds
      let recording = clock.measure { Self.record(count, instances: instances, in: &recorder) }
      let cost = (Self.threadSeconds - middle - (middle - start)) * 1e9 / Double(count)
      let finishing = try clock.measure { _ = try writer.finish(RunRow()) }
      let size = try FileManager.default.attributesOfItem(atPath: directory.database)[.size] as? Int ?? 0
      let rate = Double(count) / ((recording + finishing) / .seconds(1)) / 1e6
      print(
        "\(count) iterations, \(instances) instances: record \(cost) ns each of its thread (\(recording)), "
          + "finish \(finishing), \(rate) M rows/s in all, \(Double(size) / Double(count * run)) bytes/row")
    }
  }

  @Test func requests() throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    let count = 500_000
    let clock = ContinuousClock()
    let recording = clock.measure {
      for rank in 0..<count {
        // Requests end somewhat out of order.
        var request = RequestRecord(
          request: Request(
            id: rank ^ 0x3f, arrival: Double(rank) * 0.1, promptTokens: 2_000, outputTokens: 200))
        request.scheduledAt = request.request.arrival + 0.017
        request.firstTokenAt = request.request.arrival + 0.3
        request.completedAt = request.request.arrival + 9.1
        request.joules = 123.456
        request.expertBytes = 1e12
        let first = Int64(rank * 10)
        writer.record(
          SpanRecord(
            request: rank ^ 0x3f, instance: 0, phase: .prefill, firstIteration: first,
            lastIteration: first + 15))
        writer.record(
          SpanRecord(
            request: rank ^ 0x3f, instance: 0, phase: .decode, firstIteration: first + 16,
            lastIteration: first + 300))
        writer.record(request)
      }
    }
    let finishing = try clock.measure { _ = try writer.finish(RunRow()) }
    let size = try FileManager.default.attributesOfItem(atPath: directory.database)[.size] as? Int ?? 0
    print(
      "\(count) requests and their spans: record \(recording), finish \(finishing), \(size / count) bytes each"
    )
  }

  @Test func smallRuns() throws {
    let directory = try TemporaryDirectory()
    let count = 200
    let seconds = try ContinuousClock().measure {
      for _ in 0..<count { try SampleRun.write(to: directory.database) }
    }
    print("\(count) small runs, each with its own connection: \(seconds / count) each")
  }

  private struct NoRecorder: Recorder {
    func record(_ iteration: borrowing IterationRecord) {}
    func record(_ span: SpanRecord) {}
    func record(_ request: RequestRecord) {}
  }

  /// CPU time of the calling thread, in seconds.
  private static var threadSeconds: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private static func record(_ count: Int, instances: Int, in recorder: inout any Recorder) {
    var generator = SplitMix64(seed: 1)
    var times = Array(repeating: 0.0, count: instances)
    var batch: Int32 = 1
    var iteration = IterationRecord()
    for rank in 0..<count {
      // As in a real log, the batch stays the same for about ten iterations.
      if generator.next() % UInt64(10 * instances) == 0 {
        batch = Int32(truncatingIfNeeded: generator.next() & 0xffff)
      }
      let bits = Int32(truncatingIfNeeded: generator.next() & 0xffff)
      iteration.instance = Int32(rank % instances)
      iteration.index = Int64(rank / instances)
      iteration.start = times[rank % instances]
      times[rank % instances] += 0.01 + Double(bits) * 1e-9
      iteration.end = times[rank % instances]
      iteration.decodeTokens = batch % 200
      iteration.prefillTokens = batch % 2048
      iteration.layerEnd = 48
      iteration.experts = Double(batch) * 0.3
      iteration.expertBytes = 2e10 + Double(batch)
      iteration.weightBytes = 3e9
      iteration.kvBytes = Double(batch) * 3e5 + Double(rank / instances) * 1e4
      iteration.activationBytes = Double(batch) * 2e4
      iteration.joules = Double(bits) * 1.1e-3
      iteration.kernelSeconds = 0.009 + Double(bits) * 1e-9
      iteration.kvBlocksUsed = bits
      iteration.queueLength = batch % 50
      recorder.record(iteration)
    }
  }
}
