import CostModels

/// What measurements say that were taken in a loop over the same few buffers: those that lie in the second-level cache are not
/// read from memory, as they are in a run, where other layers pass through the cache between two launches.
///
/// The tables' collector flushes nothing (it takes turns over six sets of a product's weights, and over one of everything else;
/// github.com/ai-dynamo/aiconfigurator). Its attention reaches 1.5 times an L40S's bandwidth, and 16 TB/s on a B200.
struct CachedRows {
  /// Rows beyond the cache that it takes to know the time of a byte of memory.
  static let fewestOfMemory = 3
  /// Whether each row's bytes lay in the cache.
  let isCached: [Bool]
  /// Whether there are enough rows of both kinds to give each a time of a byte of its own.
  let areFittedApart: Bool

  /// Tells rows apart by the bytes that a launch reads.
  ///
  /// - Parameters:
  ///   - bytes: of each row; `nil` where each launch had buffers of its own.
  ///   - device: whose cache it is.
  ///   - fewest: rows that it takes to fit one coefficient more: about twice as many as a fit has coefficients, a judgement.
  init(bytes: [Double?], of device: DeviceFigures, fewest: Int = 14) {
    isCached = bytes.map { $0.map(device.caches) ?? false }
    areFittedApart =
      isCached.contains(true) && isCached.count { !$0 } >= Self.fewestOfMemory && bytes.count >= fewest
  }

  /// Whether the time of a byte says little about memory: nearly all rows lay in the cache.
  var sayLittleOfMemory: Bool {
    isCached.contains(true) && isCached.count { !$0 } < Self.fewestOfMemory
  }

  /// The features of a row, with its bytes under a coefficient of their own if they lay in the cache.
  func features(_ features: SIMD8<Double>, of row: Int, cached: Int) -> SIMD8<Double> {
    areFittedApart && isCached[row] ? features.moving(1, to: cached) : features
  }

  /// A fit in which a byte of memory takes at least so long, where the rows say little of it.
  func bounded(_ shape: FittedShape, by secondsPerByte: Double) -> FittedShape {
    sayLittleOfMemory ? shape.replacing(1, by: max(shape.values[1], secondsPerByte)) : shape
  }
}

extension SIMD8<Double> {
  /// The features with one of them in the place of another, and 0 in its own.
  func moving(_ from: Int, to: Int) -> SIMD8 {
    var moved = self
    moved[to] = self[from]
    moved[from] = 0
    return moved
  }
}

extension FittedShape {
  /// The same fit with another coefficient.
  func replacing(_ index: Int, by value: Double) -> FittedShape {
    var values = values
    values[index] = value
    return FittedShape(
      dimensions: dimensions, values: values, rows: rows, heldOut: heldOut, measured: measured,
      corrections: corrections)
  }
}
