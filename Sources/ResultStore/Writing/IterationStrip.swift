import Serving

/// Successive iterations of an instance that differ in little, which the database keeps as one row.
///
/// Decoding goes on for many iterations with the same sequences, each of which has one KV entry more to read than
/// before; layered prefill passes the same prompts through the next layers. So most columns of an iteration are
/// those of the one before, or a step further, and only four have to be kept for each.
///
/// A strip takes an iteration only if the database can give back the very row that it would have had alone:
/// nothing is approximated. Plain bytes.
struct IterationStrip {
  /// How many iterations a strip can hold.
  ///
  /// It is part of the schema. Strips of real logs are on average six to thirteen long: sequences come and go.
  static let capacity = 16

  // MARK: What all of its iterations have in common

  let instance: Int32
  let decodeTokens: Int32
  let prefillTokens: Int32
  let prefillSequences: Int32
  let queueLength: Int32
  let experts: Double
  let expertBytes: Double
  let weightBytes: Double
  let activationBytes: Double

  // MARK: What its first iteration has

  let firstIndex: Int64
  let start: Seconds
  let layerBegin: Int32
  let layerEnd: Int32
  let kvBytes: Double

  // MARK: How far each is from the one before

  /// Layers by which both ends of the prefill move.
  private(set) var layerStep: Int64 = 0
  /// Bytes by which the rounded KV bytes grow.
  private(set) var kvBytesStep: Int64 = 0

  // MARK: What each iteration has of its own

  private(set) var count: Int32 = 1
  private(set) var ends: InlineArray<16, Seconds>
  private(set) var joules: InlineArray<16, Joules>
  private(set) var kernelSeconds: InlineArray<16, Seconds>
  private(set) var kvBlocksUsed: InlineArray<16, Int32>

  /// The rounded KV bytes of the last iteration; without meaning while there is only one.
  private var lastKVBytes: Int64 = 0

  /// Begins a strip; any iteration can begin one.
  init(_ record: borrowing IterationRecord) {
    instance = record.instance
    decodeTokens = record.decodeTokens
    prefillTokens = record.prefillTokens
    prefillSequences = record.prefillSequences
    queueLength = record.queueLength
    experts = record.experts
    expertBytes = record.expertBytes
    weightBytes = record.weightBytes
    activationBytes = record.activationBytes
    firstIndex = record.index
    start = record.start
    layerBegin = record.layerBegin
    layerEnd = record.layerEnd
    kvBytes = record.kvBytes
    ends = InlineArray(repeating: 0)
    joules = InlineArray(repeating: 0)
    kernelSeconds = InlineArray(repeating: 0)
    kvBlocksUsed = InlineArray(repeating: 0)
    ends[0] = record.end
    joules[0] = record.joules
    kernelSeconds[0] = record.kernelSeconds
    kvBlocksUsed[0] = record.kvBlocksUsed
  }

  /// Takes the next iteration, if it continues the strip exactly; else leaves everything as it is.
  ///
  /// It is called for every iteration: the checks that fail most often come first.
  mutating func append(_ record: borrowing IterationRecord) -> Bool {
    let lane = Int(count)
    guard lane < Self.capacity, record.decodeTokens == decodeTokens, record.prefillTokens == prefillTokens,
      record.queueLength == queueLength, record.prefillSequences == prefillSequences,
      record.start.bitPattern == ends[lane - 1].bitPattern, record.experts.bitPattern == experts.bitPattern,
      Self.areStoredAlike(record.expertBytes, expertBytes),
      Self.areStoredAlike(record.weightBytes, weightBytes),
      Self.areStoredAlike(record.activationBytes, activationBytes),
      record.index == firstIndex &+ Int64(lane), record.instance == instance,
      // The database refuses an iteration without one of these, but only as the first of a strip.
      !(record.end + record.joules + record.kernelSeconds).isNaN,
      let nextKVBytes = Self.rounded(record.kvBytes)
    else { return false }

    let layers = Int64(record.layerBegin) - Int64(layerBegin)
    guard Int64(record.layerEnd) - Int64(layerEnd) == layers else { return false }
    if lane == 1 {
      // Two iterations fit whatever the steps between them.
      guard let firstKVBytes = Self.rounded(kvBytes) else { return false }
      layerStep = layers
      kvBytesStep = nextKVBytes - firstKVBytes
    } else {
      guard layers == layerStep * Int64(lane), nextKVBytes - lastKVBytes == kvBytesStep else { return false }
    }

    lastKVBytes = nextKVBytes
    ends[lane] = record.end
    joules[lane] = record.joules
    kernelSeconds[lane] = record.kernelSeconds
    kvBlocksUsed[lane] = record.kvBlocksUsed
    count += 1
    return true
  }

  /// Whether two numbers of bytes are the same once they are rounded.
  private static func areStoredAlike(_ a: Double, _ b: Double) -> Bool {
    if a.bitPattern == b.bitPattern { return true }
    guard let a = rounded(a), let b = rounded(b) else { return false }
    return a == b
  }

  /// What `RowBinder.bind(rounded:)` stores, without a call of the C library.
  ///
  /// It is `nil` for what is not a number, and for numbers so large that differences might not fit SQLite's integers.
  private static func rounded(_ value: Double) -> Int64? {
    guard abs(value) < 0x1p62 else { return nil }
    let whole = Int64(value)
    let rest = value - Double(whole)
    return whole + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0)
  }
}
