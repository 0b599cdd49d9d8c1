import ResultStore
import Serving
import Statistics

/// Iterations of several instances that are mostly such as follow each other in a strip, and now and then are not,
/// each time for another reason; and what the database is to say about them.
struct RandomLog {
  /// A reason for which an iteration cannot be stored together with the ones before it.
  enum Break: CaseIterable {
    case pause, decodes, prefill, prompts, queue, experts, expertBytes, weightBytes, activationBytes
    case kvBytes, kvStep, hugeBytes, infiniteBytes, layers, layerBegin, layerEnd, gap
  }

  /// The iterations of each instance, in order.
  private(set) var iterations: [[IterationRecord]]
  private var generator: SplitMix64

  init(seed: UInt64, instances: Int, count: Int, breakEvery length: UInt64) {
    generator = SplitMix64(seed: seed)
    iterations = []
    for instance in 0..<instances {
      var records = [first(instance)]
      var (layerStep, kvStep) = (Int32(0), 1_000.0)
      while records.count < count {
        var next = records[records.count - 1]
        advance(&next, layerStep: layerStep, kvStep: kvStep)
        if generator.next() % length == 0, let reason = Break.allCases.randomElement(using: &generator) {
          apply(reason, to: &next, &layerStep, &kvStep)
        }
        records.append(next)
      }
      iterations.append(records)
    }
  }

  /// Records all of it, the instances by turns.
  func record(in writer: RunWriter) {
    for index in iterations[0].indices {
      for instance in iterations { writer.record(instance[index]) }
    }
  }

  /// The row of `iterations` that an iteration is to have.
  static func row(run: Int64, _ record: IterationRecord) -> [RunValue] {
    [
      .integer(run), RunValue(Int(record.instance)), .integer(record.index), .real(record.start),
      .real(record.end),
      RunValue(Int(record.decodeTokens + record.prefillSequences)), RunValue(Int(record.prefillTokens)),
      RunValue(Int(record.decodeTokens)), RunValue(Int(record.layerBegin)), RunValue(Int(record.layerEnd)),
      .real(record.experts), whole(record.expertBytes), whole(record.weightBytes), whole(record.kvBytes),
      whole(record.activationBytes), .real(record.joules), .real(record.kernelSeconds),
      RunValue(Int(record.kvBlocksUsed)), RunValue(Int(record.queueLength)),
    ]
  }

  private static func whole(_ bytes: Double) -> RunValue {
    Int64(exactly: bytes.rounded()).map { .integer($0) } ?? .real(bytes)
  }

  private mutating func first(_ instance: Int) -> IterationRecord {
    var record = IterationRecord()
    record.instance = Int32(instance)
    record.end = 0.25 + generator.uniform()
    record.decodeTokens = 9
    record.experts = generator.uniform()
    record.kvBytes = 1e9
    return record
  }

  /// The next iteration of a strip.
  private mutating func advance(_ record: inout IterationRecord, layerStep: Int32, kvStep: Double) {
    record.index += 1
    record.start = record.end
    record.end += 0.01 + 0.001 * generator.uniform()
    record.joules = generator.uniform() * 100
    // Whole numbers are stored in another form.
    record.kernelSeconds = generator.next() % 8 == 0 ? 3 : generator.uniform()
    record.kvBlocksUsed = Int32(truncatingIfNeeded: generator.next() >> 40)
    record.layerBegin += layerStep
    record.layerEnd += layerStep
    record.kvBytes += kvStep
    // Less than half a byte is lost in rounding.
    record.expertBytes = record.expertBytes.rounded() + 0.4 * generator.uniform()
  }

  private mutating func apply(
    _ reason: Break, to record: inout IterationRecord, _ layerStep: inout Int32, _ kvStep: inout Double
  ) {
    let few = Int32(truncatingIfNeeded: generator.next() % 50)
    switch reason {
    case .pause: record.start = record.start.nextUp
    case .decodes: record.decodeTokens = few
    case .prefill: record.prefillTokens = few
    case .prompts: record.prefillSequences = few
    case .queue: record.queueLength = few
    case .experts: record.experts = record.experts.nextUp
    case .expertBytes: record.expertBytes = Double(few) + 0.5
    case .weightBytes: record.weightBytes = generator.uniform() * 1e15
    case .activationBytes: record.activationBytes = -Double(few) - 0.5
    case .kvBytes: record.kvBytes = generator.uniform() * 1e12
    case .kvStep: kvStep = (generator.uniform() - 0.5) * 1e9
    case .hugeBytes: record.kvBytes = few % 2 == 0 ? 0x1p63 : -0x1p63
    case .infiniteBytes: record.weightBytes = .infinity
    case .layers:
      layerStep = few % 5 - 2
      (record.layerBegin, record.layerEnd) = (few, few + 7)
    case .layerBegin: record.layerBegin += 1
    case .layerEnd: record.layerEnd += 1
    case .gap: record.index += 1
    }
  }
}
