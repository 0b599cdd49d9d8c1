import CostModels
import Systems

extension MatrixProduct: MeasuredFamily {
  /// A call, and what it took.
  struct Row: Sendable {
    var type: String
    var m, n, k: Int
    var seconds: Double
  }

  static let name = "gemm"
  static let table = "gemm"

  static func rows(of table: KernelTable) throws(CalibrationError) -> [Row] {
    let types = try table.texts("dtype")
    let m = try table.integers("m")
    let n = try table.integers("n")
    let k = try table.integers("k")
    let seconds = try table.seconds()
    return (0..<table.count).map { Row(type: types[$0], m: m[$0], n: n[$0], k: k[$0], seconds: seconds[$0]) }
  }

  static func rows(of harness: [HarnessRow]) -> [Row] {
    let products = harness.filter { $0.kernel == "lm_head" || $0.kernel.hasSuffix("_gemm") }
    // Models share shapes: one measurement of each.
    return products.grouped(by: { [$0.n, $0.k, $0.m] }, { $0.lexicographicallyPrecedes($1) })
      .compactMap { shape, same in
        same.min { $0.seconds < $1.seconds }
          .map { Row(type: $0.type, m: shape[2], n: shape[0], k: shape[1], seconds: $0.seconds) }
      }
  }

  static func key(_ row: Row) -> [String] { [row.type, "\(row.n)", "\(row.k)"] }

  /// Fits each shape, all shapes together, and how well neighbours stand in for a shape.
  static func fit(_ rows: [Row], _ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for (type, rows) in rows.grouped(by: \.type, <) {
      let format = try calibrator.format(type, of: self)
      // Shapes that lost rows to the importer's checks are left to their neighbours, unless there are no others.
      let all = rows.grouped(by: { [$0.n, $0.k] }, { $0.lexicographicallyPrecedes($1) })
      let whole = all.filter { $0.1.count >= 8 }
      let groups = whole.isEmpty ? all : whole
      var shapes: [FittedShape] = []
      var samples: [[CubicRoofline.Sample]] = []
      var errors: [HeldOutError] = []
      for (dimensions, group) in groups {
        let rows = group.sorted { $0.m < $1.m }
        try calibrator.check(name, dimensions, table: table, rows: rows.count, needed: 8)
        let every = rows.map { sample($0, format, calibrator.figures) }
        let held = every.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        let fit = CubicRoofline.fit(every.enumerated().filter { $0.offset % 2 == 0 }.map(\.element))
        let mine = CubicRoofline.errors(fit.values, held)
        errors += mine
        samples.append(every)
        shapes.append(
          calibrator.shape(
            dimensions, CubicRoofline.fit(every), rows: rows.count, errors: mine,
            measured: [rows.map { Double($0.m) }]))
      }
      let formula =
        "t0 + ((bytes * b)^3 + (flops * f * (1 + waste * q) * (1 + sustained * r))^3)^(1/3), "
        + "waste of the last wave of tiles, sustained = 1 - exp(-flops / data-sheet rate / 0.5 ms)"
      func kernel(
        _ name: String, _ formula: String, _ errors: [HeldOutError], _ bar: ErrorBar?, _ shapes: [FittedShape]
      ) -> FittedKernel {
        calibrator.kernel(
          self, name, type, formula, dimensions: name == self.name ? ["n", "k"] : [], errors, bar, shapes)
      }
      kernels.append(kernel(name, formula, errors, bar(format), shapes))

      let between = zip(shapes, samples).flatMap { shape, samples -> [HeldOutError] in
        let n = shape.dimensions[0]
        let k = shape.dimensions[1]
        let others = shapes.filter { $0.dimensions[0] != n && $0.dimensions[1] != k }
        guard let values = interpolate(others, n: n, k: k) else { return [] }
        return CubicRoofline.errors(values, samples)
      }
      if !between.isEmpty {
        let interpolated = "\(formula), coefficients interpolated in log n and log k"
        kernels.append(kernel(betweenShapes, interpolated, between, nil, []))
      }

      let half = samples.enumerated().filter { $0.offset % 2 == 0 }.flatMap(\.element)
      let rest = samples.enumerated().filter { $0.offset % 2 == 1 }.flatMap(\.element)
      let fit = CubicRoofline.fit(half, passes: 2)
      let strange = CubicRoofline.errors(fit.values, rest)
      let any = calibrator.shape(
        [], CubicRoofline.fit(half + rest, passes: 2), rows: rows.count, errors: strange,
        measured: [rows.map { Double($0.m) }])
      kernels.append(kernel(allShapes, formula, strange, nil, [any]))
    }
    return kernels
  }

  /// Kernels of all formats but 16 bits (FP8, NVFP4 and integers) have one loose bar.
  ///
  /// It was set after their errors were seen: it guards against worse, and is no claim made beforehand. Eight-bit ones switch between neighbouring numbers of
  /// rows, which no smooth law follows.
  private static func bar(_ format: WeightFormat) -> ErrorBar {
    format == .bf16 ? ErrorBar(median: 4, p90: 12) : ErrorBar(median: 8, p90: 35)
  }

  private static func sample(
    _ row: Row, _ format: WeightFormat, _ figures: DeviceFigures
  ) -> CubicRoofline.Sample {
    let shape = Shape(n: row.n, k: row.k, format: format)
    let m = Double(row.m)
    return CubicRoofline.Sample(
      bytes: bytes(shape, m), flops: flops(shape, m), seconds: row.seconds,
      waste: waste(shape, m, multiprocessors: figures.multiprocessors),
      sustained: sustained(flops(shape, m) / figures.flops(format)))
  }

  static func shape(_ kernel: FittedKernel, _ dimensions: [Int]) -> Shape? {
    guard kernel.kernel == name, let format = WeightFormat(rawValue: kernel.type) else { return nil }
    return Shape(n: dimensions[0], k: dimensions[1], format: format)
  }

  static func typicalWork(_ shape: Shape, middle: Double) -> Double { middle }
}
