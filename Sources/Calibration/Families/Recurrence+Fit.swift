import CostModels
import Systems

extension Recurrence: MeasuredFamily {
  /// A launch over equally long sequences, and what it took.
  struct Row: Sendable {
    var delta: GatedDelta
    var stage: Stage
    var batch, length: Int
    var seconds: Double
  }

  static let name = "gated_delta"
  static let table = "gdn"

  static func rows(of table: KernelTable) throws(CalibrationError) -> [Row] {
    let kernels = try table.texts("kernel")
    var sizes: [[Int]] = []
    for column in ["k_heads", "v_heads", "k_dim", "v_dim", "conv", "batch", "length"] {
      sizes.append(try table.integers(column))
    }
    let seconds = try table.seconds()
    var rows: [Row] = []
    for i in 0..<table.count {
      guard let stage = Stage(rawValue: kernels[i]) else {
        let known = Stage.allCases.map(\.rawValue).joined(separator: ", ")
        throw .malformed(
          path: table.path, line: table.line(ofRow: i),
          problem: "kernel is '\(kernels[i])', expected one of: \(known)")
      }
      let size = sizes.map { $0[i] }
      rows.append(
        Row(
          delta: GatedDelta(
            keyHeads: size[0], valueHeads: size[1], keyDim: size[2], valueDim: size[3], kernel: size[4]),
          stage: stage, batch: size[5], length: size[6], seconds: seconds[i]))
    }
    return rows
  }

  /// The project's own harness does not measure it.
  static func rows(of harness: [HarnessRow]) -> [Row] { [] }

  static func key(_ row: Row) -> [String] {
    [row.stage.rawValue] + Shape(row.delta, row.stage).dimensions.map(String.init)
  }

  /// Fits each kernel and set of heads.
  static func fit(_ rows: [Row], _ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for (stage, rows) in rows.grouped(by: \.stage, { $0.rawValue < $1.rawValue }) {
      var shapes: [FittedShape] = []
      var errors: [HeldOutError] = []
      for (dimensions, rows) in rows.grouped(
        by: { Shape($0.delta, stage).dimensions }, { $0.lexicographicallyPrecedes($1) })
      {
        let batches = calibrator.ranks(rows.map(\.batch))
        let lengths = calibrator.ranks(rows.map(\.length))
        let works = rows.map { row in
          var work = Work()
          work.add(tokens: row.length, count: row.batch)
          return work
        }
        let shape = Shape(rows[0].delta, stage)
        // States are read and written in place, so that half of what moves is what lies in the cache.
        let cached = CachedRows(
          bytes: works.map { stage.isOfPrompts ? traffic(shape, $0).bytes : traffic(shape, $0).kvBytes / 2 },
          of: calibrator.figures, fewest: 8)
        let samples = rows.enumerated().map { index, row in
          let features = features(of: shape, works[index], on: calibrator.figures)
          return RelativeFit.Sample(
            features: stage.isOfPrompts ? features : cached.features(features, of: index, cached: 4),
            seconds: row.seconds,
            isHeldOut: (batches[row.batch, default: 0] + lengths[row.length, default: 0]) % 2 == 1)
        }
        let fit = try calibrator.fit(
          self, name, dimensions, samples,
          measured: [rows.map { Double($0.batch) }, rows.map { Double($0.batch * $0.length) }])
        let bounded = cached.bounded(fit.shape, by: calibrator.figures.secondsPerByte)
        shapes.append(cached.isCached.contains(true) ? bounded : bounded.replacing(4, by: bounded.values[1]))
        errors += fit.errors
      }
      kernels.append(
        calibrator.kernel(
          self, name, stage.rawValue,
          (stage == .corePrefill
            ? "t0 + bytes * b + chunks of 64 tokens of the busiest multiprocessor * w + waves * v"
            : "t0 + bytes * b")
            + ", b_cached for bytes that \(stage.isOfPrompts ? "fit into" : "lay in") the cache",
          dimensions: ["k_heads", "v_heads", "k_dim", "v_dim"], errors, ErrorBar(median: 6, p90: 15), shapes))
    }
    return kernels
  }

  static func shape(_ kernel: FittedKernel, _ dimensions: [Int]) -> Shape? {
    guard let stage = Stage(rawValue: kernel.type) else { return nil }
    let delta = GatedDelta(
      keyHeads: dimensions[0], valueHeads: dimensions[1], keyDim: dimensions[2], valueDim: dimensions[3],
      kernel: 4)
    return Shape(delta, stage)
  }

  static func typicalWork(_ shape: Shape, middle: Double) -> Work {
    var work = Work()
    let isDecode = shape.stage == .coreDecode || shape.stage == .convolutionDecode
    work.add(tokens: isDecode ? 1 : 2048, count: isDecode ? 32 : 1)
    return work
  }
}
