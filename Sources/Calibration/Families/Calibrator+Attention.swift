import CostModels

extension Calibrator {
  /// Fits prefill attention, each set of heads.
  ///
  /// Chunks with a prefix take part in the same fits, since one law holds for both, but they are judged apart.
  func prefillAttention() throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for (kernel, rows) in measurements.prefill.grouped(
      by: { $0.window > 0 ? Kernel.windowedPrefillAttention : .prefillAttention },
      { $0.rawValue < $1.rawValue })
    {
      var shapes: [FittedShape] = []
      var errors: [Double] = []
      var errorsAfterPrefix: [Double] = []
      for (dimensions, rows) in rows.grouped(
        by: { [$0.heads, $0.kvHeads, $0.headDim, $0.window] }, { $0.lexicographicallyPrecedes($1) })
      {
        let batches = ranks(rows.map(\.batch))
        let lengths = ranks(rows.map(\.tokens))
        let prefixes = ranks(rows.map(\.prefix))
        var samples: [RelativeFit.Sample] = []
        var measured = [[Double]](repeating: [], count: 3)
        for row in rows {
          var shape = PrefillShape(heads: row.heads, kvHeads: row.kvHeads, window: row.window)
          shape.add(tokens: row.tokens, prefix: row.prefix, count: row.batch)
          let features = PrefillAttentionFit.features(
            shape, heads: row.heads, kvHeads: row.kvHeads, headDim: row.headDim,
            multiprocessors: Double(figures.multiprocessors))
          let square =
            batches[row.batch, default: 0] + lengths[row.tokens, default: 0]
            + prefixes[row.prefix, default: 0]
          samples.append(.init(features: features, seconds: row.seconds, isHeldOut: square % 2 == 1))
          measured[0].append(shape.queryTiles * Double(row.kvHeads))
          measured[1].append(shape.tileKeys / shape.queryTiles)
          measured[2].append(Double(row.prefix))
        }
        let fit = try fit(kernel, dimensions, samples, count: 5, measured: measured)
        shapes.append(fit.shape)
        let held = zip(rows, samples).filter(\.1.isHeldOut).map(\.0)
        for (row, error) in zip(held, fit.errors) {
          if row.prefix > 0, kernel == .prefillAttention {
            errorsAfterPrefix.append(error)
          } else {
            errors.append(error)
          }
        }
      }
      kernels.append(prefill(kernel, errors, ErrorBar(median: 5, p90: 13), shapes))
      if !errorsAfterPrefix.isEmpty {
        let bar = ErrorBar(median: 3, p90: 8)
        kernels.append(prefill(.prefillAttentionPrefix, errorsAfterPrefix, bar, []))
      }
    }
    return kernels
  }

  private func prefill(
    _ kernel: Kernel, _ errors: [Double], _ bar: ErrorBar, _ shapes: [FittedShape]
  ) -> FittedKernel {
    FittedKernel(
      kernel: kernel, type: KernelDataType.bf16.rawValue,
      formula:
        "t0 + max(1, waves) * tile flops * f + ceil(waves) * tile flops * w + bytes * b + ceil(waves) * s, "
        + "waves = blocks / \(figures.multiprocessors)",
      quality: .measured, source: source(of: kernel),
      dimensions: ["heads", "kv_heads", "head_dim", "window"],
      coefficients: [
        .init(name: "t0", unit: "s"), .init(name: "f", unit: "s/FLOP"), .init(name: "w", unit: "s/FLOP"),
        .init(name: "b", unit: "s/B"), .init(name: "s", unit: "s"),
      ], ranges: ["blocks", "keys of a tile", "prefix"], heldOut: ErrorSummary(errors), bar: bar,
      shapes: shapes)
  }

  /// Fits decode attention, each set of heads.
  func decodeAttention() throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for (kernel, rows) in measurements.decode.grouped(
      by: { $0.window > 0 ? Kernel.windowedDecodeAttention : .decodeAttention }, { $0.rawValue < $1.rawValue }
    ) {
      var shapes: [FittedShape] = []
      var errors: [Double] = []
      for (dimensions, rows) in rows.grouped(
        by: { [$0.heads, $0.kvHeads, $0.headDim, $0.window] }, { $0.lexicographicallyPrecedes($1) })
      {
        let batches = ranks(rows.map(\.batch))
        let contexts = ranks(rows.map(\.context))
        let samples = rows.map { row in
          // A context that just fills the window is not cut, but `features` takes full windows for cut ones.
          let fills = row.window > 0 && row.context == row.window
          let context = Double(row.context) - (fills ? 0.5 : 0)
          return RelativeFit.Sample(
            features: DecodeAttentionFit.features(
              batch: Double(row.batch), contextTokens: Double(row.batch) * context, kvHeads: row.kvHeads,
              headDim: row.headDim, window: row.window, multiprocessors: Double(figures.multiprocessors)),
            seconds: row.seconds,
            isHeldOut: (batches[row.batch, default: 0] + contexts[row.context, default: 0]) % 2 == 1)
        }
        let fit = try fit(
          kernel, dimensions, samples, count: 6,
          measured: [rows.map { Double($0.batch) }, rows.map { Double($0.batch) * Double($0.context) }])
        shapes.append(fit.shape)
        errors += fit.errors
      }
      kernels.append(
        FittedKernel(
          kernel: kernel, type: KernelDataType.bf16.rawValue,
          formula: "t0 + KV bytes * b + batch * q + waves * s + cut * c + waves * cut * d, "
            + "waves = ceil(batch * kv_heads / \(figures.multiprocessors)), cut = context longer than window",
          quality: .measured, source: source(of: kernel),
          dimensions: ["heads", "kv_heads", "head_dim", "window"],
          coefficients: [
            .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "q", unit: "s"),
            .init(name: "s", unit: "s"), .init(name: "c", unit: "s"), .init(name: "d", unit: "s"),
          ], ranges: ["batch", "context tokens"], heldOut: ErrorSummary(errors),
          bar: ErrorBar(median: 7, p90: 20), shapes: shapes))
    }
    return kernels
  }
}
