import CostModels

extension Calibrator {
  /// Fits MoE layers: each shape, and all shapes together.
  func moe() throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for (type, rows) in measurements.moe.grouped(by: \.type, <) {
      guard let dtype = KernelDataType(rawValue: type) else {
        let known = KernelDataType.allCases.map(\.rawValue).joined(separator: ", ")
        let problem = "dtype is '\(type)', expected one of: \(known)"
        throw .malformed(path: source(of: .moe), line: 0, problem: problem)
      }
      var shapes: [FittedShape] = []
      var groups: [[RelativeFit.Sample]] = []
      var errors: [Double] = []
      let byShape = rows.grouped(
        by: { [$0.hidden, $0.intermediate, $0.experts, $0.topK] }, { $0.lexicographicallyPrecedes($1) })
      for (dimensions, rows) in byShape {
        let rank = ranks(rows.map(\.tokens))
        let samples = rows.map { row in
          RelativeFit.Sample(
            features: features(row, dtype), seconds: row.seconds,
            isHeldOut: rank[row.tokens, default: 0] % 2 == 1)
        }
        let fit = try fit(.moe, dimensions, samples, count: 7, measured: [rows.map { Double($0.tokens) }])
        shapes.append(fit.shape)
        errors += fit.errors
        groups.append(samples)
      }
      let bar = dtype == .mxfp4 ? ErrorBar(median: 5, p90: 14) : ErrorBar(median: 4, p90: 12)
      kernels.append(kernel(.moe, type, dtype, errors, bar, shapes))

      let others = groups.indices.flatMap { held in
        let rest = groups.indices.filter { $0 != held }.flatMap { groups[$0] }
        guard !rest.isEmpty else { return [Double]() }
        let fit = RelativeFit(rest, count: 7)
        return groups[held].map { fit.predict($0.features) / $0.seconds - 1 }
      }
      let all = groups.flatMap { $0 }
      let any = shape(
        [], RelativeFit(all, count: 7), rows: all.count, errors: others,
        measured: [rows.map { Double($0.tokens) }])
      kernels.append(kernel(.moeAllShapes, type, dtype, others, nil, [any]))
    }
    return kernels
  }

  /// Features in the order of `MoEFit`'s coefficients: rows count for kernels that do not work in tiles.
  private func features(_ row: KernelMeasurements.MoE, _ dtype: KernelDataType) -> SIMD8<Double> {
    let fit = MoEFit(
      hidden: row.hidden, intermediate: row.intermediate, experts: row.experts, topK: row.topK,
      weightBytes: dtype.bytes, launch: 0, secondsPerByte: 0, secondsPerFLOP: 0, secondsPerTileFLOP: .zero,
      origin: .measured, measuredRows: 0..<0)
    var features = SIMD8(1, row.active * fit.expertBytes, 0, 0, 0, 0, 0, 0)
    if dtype == .mxfp4 {
      let tile = fit.tileTokens(rows: Double(row.tokens))
      let index = MoEFit.index(ofTile: tile)
      features[3 + index] = row.tiles[index] * tile * fit.flopsPerChoice
    } else {
      features[2] = Double(row.tokens) * Double(row.topK) * fit.flopsPerChoice
    }
    return features
  }

  private func kernel(
    _ kernel: Kernel, _ type: String, _ dtype: KernelDataType, _ errors: [Double], _ bar: ErrorBar?,
    _ shapes: [FittedShape]
  ) -> FittedKernel {
    FittedKernel(
      kernel: kernel, type: type,
      formula: dtype == .mxfp4
        ? "t0 + active * expert bytes * b + tiles * tile tokens * flops of a row * f_tile"
        : "t0 + active * expert bytes * b + flops * f",
      quality: .measured, source: source(of: .moe),
      dimensions: kernel == .moe ? ["hidden", "intermediate", "experts", "topk"] : [],
      coefficients: [
        .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "f", unit: "s/FLOP"),
        .init(name: "f_16", unit: "s/FLOP"), .init(name: "f_32", unit: "s/FLOP"),
        .init(name: "f_64", unit: "s/FLOP"), .init(name: "f_128", unit: "s/FLOP"),
      ], ranges: ["rows"], heldOut: ErrorSummary(errors), bar: bar, shapes: shapes)
  }
}
