import CostModels
import Systems

extension PrefillAttention: MeasuredFamily {
  /// A launch over equally many new tokens in each sequence of a batch, and what it took.
  struct Row: Sendable {
    var heads: AttentionHeads
    /// Whether the kernel may split the keys.
    var splitsKeys = true
    var format = WeightFormat.bf16
    var batch, tokens, prefix: Int
    var seconds: Double
  }

  static let name = "prefill_attention"
  static let table = "prefill_attention"
  /// Latent attention: the kernel alone, keys and values expanded.
  static let furtherTables = ["mla_prefill"]
  /// Chunks with a prefix, full context: the errors of the fits on them.
  static let afterPrefix = "prefill_attention_prefix"
  static let judgedApart = [afterPrefix]

  static func rows(of table: KernelTable) throws(CalibrationError) -> [Row] {
    let isLatent = !table.columns.contains("kv_heads")
    let heads = try isLatent ? latentHeads(table) : table.heads()
    let formats = try table.keyValueFormats()
    let batch = try table.integers("batch")
    let tokens = try table.integers("q_len")
    let prefix = try isLatent ? Array(repeating: 0, count: table.count) : table.integers("prefix")
    let seconds = try table.seconds()
    let splits = table.value("splits_keys") != "no"
    return (0..<table.count).map {
      Row(
        heads: heads[$0], splitsKeys: splits, format: formats[$0], batch: batch[$0], tokens: tokens[$0],
        prefix: prefix[$0],
        seconds: seconds[$0])
    }
  }

  /// The sizes of DeepSeek's models: keys of 192 and values of 128 for each head.
  private static func latentHeads(_ table: KernelTable) throws(CalibrationError) -> [AttentionHeads] {
    try table.integers("heads").map {
      AttentionHeads(latentDimensions: [$0, $0, 192, 128], isAbsorbed: false)
    }
  }

  /// Attention counts only with a page table.
  ///
  /// cuDNN does not split the keys: chunks of 64 and of 512 tokens behind the same
  /// prefix take the same time.
  static func rows(of harness: [HarnessRow]) -> [Row] {
    harness.filter {
      $0.kernel.hasSuffix("_attention") && $0.kernel != "decode_attention"
        && $0.implementation == "cudnn_paged"
    }.map {
      Row(
        heads: $0.attentionHeads, splitsKeys: false, batch: $0.batch, tokens: $0.queries,
        prefix: $0.keys - $0.queries, seconds: $0.seconds)
    }
  }

  static func key(_ row: Row) -> [String] {
    [row.splitsKeys ? "" : unsplit, row.format.rawValue] + Shape(row.heads).dimensions.map(String.init)
  }

  static func launch(_ row: Row) -> [Int]? { row.heads.isLatent ? [row.batch, row.tokens] : nil }
  static func seconds(of row: Row) -> Double { row.seconds }

  /// Fits each set of heads.
  ///
  /// Chunks with a prefix take part in the same fits, since one law holds for both, but they are judged apart.
  static func fit(_ rows: [Row], _ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    func names(_ row: Row) -> [String] {
      let shape = Shape(row.heads, splitsKeys: row.splitsKeys, format: row.format)
      return [shape.kernel, shape.type]
    }
    for (key, rows) in rows.grouped(by: names, { $0.lexicographicallyPrecedes($1) }) {
      let (kernel, type) = (key[0], key[1])
      var shapes: [FittedShape] = []
      var errors: [HeldOutError] = []
      var errorsAfterPrefix: [HeldOutError] = []
      for (dimensions, rows) in rows.grouped(
        by: { Shape($0.heads).dimensions }, { $0.lexicographicallyPrecedes($1) })
      {
        let batches = calibrator.ranks(rows.map(\.batch))
        let lengths = calibrator.ranks(rows.map(\.tokens))
        // Prefixes count among those of the same length: a table may go by the keys, with no prefix at two lengths.
        let prefixes = Dictionary(grouping: rows, by: \.tokens).mapValues {
          calibrator.ranks($0.map(\.prefix))
        }
        var samples: [RelativeFit.Sample] = []
        var measured = [[Double]](repeating: [], count: ranges.count)
        for row in rows {
          let shape = Shape(row.heads, splitsKeys: row.splitsKeys, format: row.format)
          var work = shape.nothing
          work.add(tokens: row.tokens, prefix: row.prefix, count: row.batch)
          let square =
            batches[row.batch, default: 0] + lengths[row.tokens, default: 0]
            + (prefixes[row.tokens]?[row.prefix] ?? 0)
          samples.append(
            .init(
              features: features(of: shape, work, on: calibrator.figures), seconds: row.seconds,
              isHeldOut: square % 2 == 1))
          let point = coordinates(of: shape, work)
          for i in measured.indices { measured[i].append(point[i]) }
        }
        let fit = try calibrator.fit(self, kernel, dimensions, samples, measured: measured)
        shapes.append(fit.shape)
        let held = zip(rows, samples).filter(\.1.isHeldOut).map(\.0)
        for (row, error) in zip(held, fit.errors) {
          if row.prefix > 0, kernel == name {
            errorsAfterPrefix.append(error)
          } else {
            errors.append(error)
          }
        }
      }
      let isLatent = kernel == latent
      func fitted(
        _ kernel: String, _ errors: [HeldOutError], _ bar: ErrorBar, _ shapes: [FittedShape]
      ) -> FittedKernel {
        calibrator.kernel(
          self, kernel, type,
          "t0 + waves * tile flops * w + bytes * b + ceil(blocks / \(calibrator.figures.multiprocessors)) * s "
            + "+ flops of the longest tile beyond the mean * u, "
            + (type.hasPrefix(unsplit)
              ? "waves = ceil(blocks / \(calibrator.figures.multiprocessors))"
              : "waves = least ceil(s * blocks / \(calibrator.figures.multiprocessors)) / s, s = 1...32"),
          dimensions: ["heads", "kv_heads", "head_dim", isLatent ? "value_dim" : "window"], errors, bar,
          shapes, table: isLatent ? furtherTables[0] : nil)
      }
      let bar = isLatent ? ErrorBar(median: 6, p90: 15) : ErrorBar(median: 5, p90: 13)
      kernels.append(fitted(kernel, errors, bar, shapes))
      if !errorsAfterPrefix.isEmpty {
        kernels.append(fitted(afterPrefix, errorsAfterPrefix, ErrorBar(median: 3, p90: 8), []))
      }
    }
    return kernels
  }

  static func shape(_ kernel: FittedKernel, _ dimensions: [Int]) -> Shape? {
    guard dimensions.count == 4 else { return nil }
    let format = kernel.type.hasSuffix(WeightFormat.fp8.rawValue) ? WeightFormat.fp8 : .bf16
    let heads =
      kernel.kernel == latent
      ? AttentionHeads(latentDimensions: dimensions, isAbsorbed: false)
      : AttentionHeads(dimensions: dimensions)
    let shape = Shape(
      heads, splitsKeys: !kernel.type.hasPrefix(unsplit), format: format)
    return shape.kernel == kernel.kernel ? shape : nil
  }

  static func typicalWork(_ shape: Shape, middle: Double) -> Work {
    var work = shape.nothing
    work.add(tokens: 2048, prefix: 0)
    return work
  }
}
