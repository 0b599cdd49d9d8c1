import CostModels

extension Calibrator {
  /// Fits dense matrix products: each shape, all shapes together, and how well neighbours stand in for a shape.
  func gemm() throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for (type, rows) in measurements.gemm.grouped(by: \.type, <) {
      guard let dtype = KernelDataType(rawValue: type) else {
        let known = KernelDataType.allCases.map(\.rawValue).joined(separator: ", ")
        let problem = "dtype is '\(type)', expected one of: \(known)"
        throw .malformed(path: source(of: .gemm), line: 0, problem: problem)
      }
      let groups = rows.grouped(by: { [$0.n, $0.k] }, { $0.lexicographicallyPrecedes($1) })
      var shapes: [FittedShape] = []
      var samples: [[CubicRoofline.Sample]] = []
      var errors: [Double] = []
      for (dimensions, group) in groups {
        let rows = group.sorted { $0.m < $1.m }
        try check(.gemm, dimensions, rows: rows.count, needed: 8)
        let all = rows.map { sample($0, dtype) }
        let held = all.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        let fit = CubicRoofline.fit(all.enumerated().filter { $0.offset % 2 == 0 }.map(\.element))
        let mine = held.map { CubicRoofline.predict(fit.values, $0) / $0.seconds - 1 }
        errors += mine
        samples.append(all)
        shapes.append(
          shape(
            dimensions, CubicRoofline.fit(all), rows: rows.count, errors: mine,
            measured: [rows.map { Double($0.m) }]))
      }
      let formula = "t0 + ((bytes * b)^3 + (flops * f)^3)^(1/3)"
      kernels.append(kernel(.gemm, type, formula, errors, ErrorBar(median: 4, p90: 12), shapes))

      let between = zip(shapes, samples).flatMap { shape, samples -> [Double] in
        let n = shape.dimensions[0]
        let k = shape.dimensions[1]
        let others = shapes.filter { $0.dimensions[0] != n && $0.dimensions[1] != k }
        guard let values = Calibration.interpolate(others, n: n, k: k) else { return [] }
        return samples.map { CubicRoofline.predict(values, $0) / $0.seconds - 1 }
      }
      if !between.isEmpty {
        kernels.append(
          kernel(
            .gemmBetweenShapes, type, "\(formula), coefficients interpolated in log n and log k", between,
            nil, []))
      }

      let half = samples.enumerated().filter { $0.offset % 2 == 0 }.flatMap(\.element)
      let rest = samples.enumerated().filter { $0.offset % 2 == 1 }.flatMap(\.element)
      let fit = CubicRoofline.fit(half, passes: 2)
      let strange = rest.map { CubicRoofline.predict(fit.values, $0) / $0.seconds - 1 }
      let any = shape(
        [], CubicRoofline.fit(half + rest, passes: 2), rows: rows.count, errors: strange,
        measured: [rows.map { Double($0.m) }])
      kernels.append(kernel(.gemmAllShapes, type, formula, strange, nil, [any]))
    }
    return kernels
  }

  private func sample(_ row: KernelMeasurements.GEMM, _ dtype: KernelDataType) -> CubicRoofline.Sample {
    let fit = GEMMFit(
      n: row.n, k: row.k, weightBytes: dtype.bytes, activationBytes: KernelDataType.bf16.bytes, launch: 0,
      secondsPerByte: 0, secondsPerFLOP: 0, origin: .measured, measuredRows: 0..<0)
    let m = Double(row.m)
    return CubicRoofline.Sample(bytes: fit.bytes(rows: m), flops: fit.flops(rows: m), seconds: row.seconds)
  }

  private func kernel(
    _ kernel: Kernel, _ type: String, _ formula: String, _ errors: [Double], _ bar: ErrorBar?,
    _ shapes: [FittedShape]
  ) -> FittedKernel {
    FittedKernel(
      kernel: kernel, type: type, formula: formula, quality: .measured, source: source(of: .gemm),
      dimensions: kernel == .gemm ? ["n", "k"] : [],
      coefficients: [
        .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "f", unit: "s/FLOP"),
      ], ranges: ["rows"], heldOut: ErrorSummary(errors), bar: bar, shapes: shapes)
  }
}
