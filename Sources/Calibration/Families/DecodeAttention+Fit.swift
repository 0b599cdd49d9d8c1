import CostModels
import Systems

extension DecodeAttention: MeasuredFamily {
  /// A launch over equally long contexts of a batch, and what it took.
  struct Row: Sendable {
    var heads: AttentionHeads
    var format = WeightFormat.bf16
    var batch, context: Int
    var seconds: Double
    /// Whether each launch had keys and values of its own, which no cache held.
    var isCold = false
  }

  static let name = "decode_attention"
  static let table = "decode_attention"
  /// Latent attention: the kernel alone, with the projection absorbed.
  static let furtherTables = ["mla_decode"]

  static func rows(of table: KernelTable) throws(CalibrationError) -> [Row] {
    let heads = try table.columns.contains("kv_heads") ? table.heads() : latentHeads(table)
    let formats = try table.keyValueFormats()
    let batch = try table.integers("batch")
    let context = try table.integers("kv_len")
    let seconds = try table.seconds()
    return (0..<table.count).map {
      Row(
        heads: heads[$0], format: formats[$0], batch: batch[$0], context: context[$0], seconds: seconds[$0])
    }
  }

  /// The sizes of DeepSeek's models, which are those of all that have latent attention: latent vectors of 512, and 64 more.
  private static func latentHeads(_ table: KernelTable) throws(CalibrationError) -> [AttentionHeads] {
    try table.integers("heads").map {
      AttentionHeads(latentDimensions: [$0, 1, 576, 512], isAbsorbed: true)
    }
  }

  /// Attention counts only with a page table.
  static func rows(of harness: [HarnessRow]) -> [Row] {
    harness.filter { $0.kernel == "decode_attention" && $0.implementation == "cudnn_paged" }.map {
      Row(
        heads: $0.attentionHeads, batch: $0.batch, context: $0.keys, seconds: $0.seconds, isCold: true)
    }
  }

  static func key(_ row: Row) -> [String] {
    [row.format.rawValue] + Shape(row.heads).dimensions.map(String.init)
  }

  static func launch(_ row: Row) -> [Int]? { row.heads.isLatent ? [row.batch, row.context] : nil }
  static func seconds(of row: Row) -> Double { row.seconds }

  /// Fits each set of heads.
  static func fit(_ rows: [Row], _ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    func names(_ row: Row) -> [String] {
      let shape = Shape(row.heads, format: row.format)
      return [shape.kernel, shape.type]
    }
    for (key, rows) in rows.grouped(by: names, { $0.lexicographicallyPrecedes($1) }) {
      let (kernel, type) = (key[0], key[1])
      var shapes: [FittedShape] = []
      var errors: [HeldOutError] = []
      for (dimensions, rows) in rows.grouped(
        by: { Shape($0.heads).dimensions }, { $0.lexicographicallyPrecedes($1) })
      {
        let batches = calibrator.ranks(rows.map(\.batch))
        let contexts = calibrator.ranks(rows.map(\.context))
        func work(_ row: Row) -> Work {
          // A context that just fills the window is not cut, but the law takes full windows for cut ones.
          let fills = row.heads.window > 0 && row.context == row.heads.window
          let context = Double(row.context) - (fills ? 0.5 : 0)
          return Work(sequences: Double(row.batch), context: Double(row.batch) * context)
        }
        func features(_ row: Row) -> SIMD8<Double> {
          Self.features(of: Shape(row.heads, format: row.format), work(row), on: calibrator.figures)
        }
        let cached = CachedRows(
          bytes: rows.map { $0.isCold ? nil : features($0)[1] }, of: calibrator.figures)
        let samples = rows.enumerated().map { index, row in
          RelativeFit.Sample(
            features: cached.features(features(row), of: index, cached: 6), seconds: row.seconds,
            isHeldOut: (batches[row.batch, default: 0] + contexts[row.context, default: 0]) % 2 == 1)
        }
        let fit = try calibrator.fit(
          self, kernel, dimensions, samples,
          measured: [rows.map { Double($0.batch) }, rows.map { Double($0.batch) * Double($0.context) }])
        shapes.append(cached.bounded(fit.shape, by: calibrator.figures.secondsPerByte))
        errors += fit.errors
      }
      let isLatent = kernel == latent
      kernels.append(
        calibrator.kernel(
          self, kernel, type,
          "t0 + KV bytes * b + batch * q + waves * s + cut * c + waves * cut * d + waves * keys of a sequence * k, "
            + "waves = ceil(batch * kv_heads / \(calibrator.figures.multiprocessors)), cut = context longer than window; "
            + "b_cached for KV bytes that lay in the cache",
          dimensions: ["heads", "kv_heads", "head_dim", isLatent ? "value_dim" : "window"], errors,
          isLatent ? ErrorBar(median: 6, p90: 15) : ErrorBar(median: 7, p90: 20), shapes,
          table: isLatent ? furtherTables[0] : nil))
    }
    return kernels
  }

  static func shape(_ kernel: FittedKernel, _ dimensions: [Int]) -> Shape? {
    guard dimensions.count == 4, let format = WeightFormat(rawValue: kernel.type) else { return nil }
    let heads =
      kernel.kernel == latent
      ? AttentionHeads(latentDimensions: dimensions, isAbsorbed: true)
      : AttentionHeads(dimensions: dimensions)
    let shape = Shape(heads, format: format)
    return shape.kernel == kernel.kernel ? shape : nil
  }

  static func typicalWork(_ shape: Shape, middle: Double) -> Work {
    Work(sequences: 32, context: 32 * 2048)
  }
}
