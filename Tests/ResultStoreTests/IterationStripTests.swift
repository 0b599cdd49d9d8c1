import Serving
import Statistics
import Testing

@testable import ResultStore

/// Iterations are stored in strips, and nobody who asks for them can tell.
struct IterationStripTests {
  /// Enough strips for several buffers of each instance; once such as are mostly long, once mostly short.
  @Test(arguments: [(1, 40), (2, 8), (3, 1)] as [(UInt64, UInt64)])
  func iterationsComeBackToTheLastBit(seed: UInt64, breakEvery: UInt64) throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    let log = RandomLog(
      seed: seed, instances: 3, count: breakEvery == 1 ? 3_000 : 16_000, breakEvery: breakEvery)
    try SampleRun.write(to: directory.database)
    log.record(in: writer)
    let run = try writer.finish(RunRow())

    let expected = log.iterations.flatMap { $0.map { RandomLog.row(run: run, $0) } }
    let reader = try ResultReader(path: directory.database)
    var position = 0
    var wrong = 0
    try reader.read("SELECT * FROM iterations WHERE run_id = :run ORDER BY instance, iter", run: run) { row in
      if position >= expected.count || !areIdentical(row, expected[position]) { wrong += 1 }
      position += 1
      return true
    }
    #expect(position == expected.count)
    #expect(wrong == 0)

    let lengths = try reader.query(
      "SELECT min(steps), max(steps), count(DISTINCT steps) FROM iteration_strips WHERE run_id = :run",
      run: run)
    #expect(breakEvery == 1 || lengths.rows == [[1, 16, 16]])
  }

  /// The view that names where each iteration is kept says the same as the one that does not.
  @Test func lanesAreIterations() throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    RandomLog(seed: 4, instances: 2, count: 500, breakEvery: 8).record(in: writer)
    _ = try writer.finish(RunRow())
    let reader = try ResultReader(path: directory.database)
    let columns = try reader.query("SELECT * FROM iterations LIMIT 1").columns.joined(separator: ", ")
    let iterations = try reader.query("SELECT \(columns) FROM iterations ORDER BY instance, iter")
    let lanes = try reader.query("SELECT \(columns) FROM iteration_lanes ORDER BY instance, first_iter, lane")
    #expect(iterations == lanes)
    let wrong = try reader.query(
      "SELECT count(*) FROM iteration_lanes WHERE iter <> first_iter + lane OR lane NOT BETWEEN 0 AND 15")
    #expect(wrong.rows == [[0]])
  }

  /// A steady batch is stored in as few rows as can be: sixteen iterations in each.
  @Test func aSteadyBatchFillsItsStrips() throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    RandomLog(seed: 5, instances: 2, count: 100, breakEvery: .max).record(in: writer)
    _ = try writer.finish(RunRow())
    let strips = try ResultReader(path: directory.database).query(
      "SELECT instance, first_iter, steps FROM iteration_strips WHERE instance = 1")
    #expect(
      strips.rows == [
        [1, 0, 16], [1, 16, 16], [1, 32, 16], [1, 48, 16], [1, 64, 16], [1, 80, 16], [1, 96, 4],
      ])
  }

  /// Times of tokens, from spans that begin and end anywhere in strips, against the iterations themselves.
  @Test func tokensAreOutWhenTheirIterationsEnd() throws {
    let directory = try TemporaryDirectory()
    let writer = try RunWriter(path: directory.database)
    let log = RandomLog(seed: 6, instances: 2, count: 600, breakEvery: 10)
    log.record(in: writer)
    var generator = SplitMix64(seed: 7)
    var expected: [[RunValue]] = []
    for request in 0..<200 {
      let instance = log.iterations[request % 2]
      let first = Int.random(in: instance.indices, using: &generator)
      let last = Int.random(in: first..<min(first + 70, instance.count), using: &generator)
      let phase: SpanRecord.Phase = request % 3 == 0 ? .prefill : .decode
      let span = SpanRecord(
        request: request, instance: Int32(request % 2), phase: phase, firstIteration: instance[first].index,
        lastIteration: instance[last].index, completed: request % 4 != 0)
      writer.record(span)
      expected += (first...last).filter { position in
        phase == .decode ? instance[position].decodeTokens > 0 : position == last && span.completed
      }.map { [RunValue(request), .real(instance[$0].end)] }
    }
    let run = try writer.finish(RunRow())
    let found = try ResultReader(path: directory.database).query(
      "SELECT request_id, t FROM token_times WHERE run_id = :run ORDER BY request_id, t", run: run)
    #expect(found.rows == expected)
  }

  /// An iteration without a time or an energy is refused wherever it stands.
  @Test(arguments: [0, 1, 20]) func whatIsNotANumberIsRefused(position: Int) throws {
    let directory = try TemporaryDirectory()
    for field in [\IterationRecord.end, \.joules, \.kernelSeconds, \.kvBytes, \.experts] {
      let writer = try RunWriter(path: directory.database)
      for var record in RandomLog(seed: 8, instances: 1, count: 40, breakEvery: .max).iterations[0] {
        if record.index == position { record[keyPath: field] = .nan }
        writer.record(record)
      }
      #expect {
        try writer.finish(RunRow())
      } throws: { error in
        guard case .inconsistentRun = error as? ResultStoreError else { return false }
        return true
      }
    }
  }

  private func areIdentical(_ a: [RunValue], _ b: [RunValue]) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy { pair in
        if case (.real(let a), .real(let b)) = pair { return a.bitPattern == b.bitPattern }
        return pair.0 == pair.1
      }
  }
}
