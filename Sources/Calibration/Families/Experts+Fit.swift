import CostModels
import Systems

extension Experts: MeasuredFamily {
  /// A call, and what it took; `intermediate` is of one GPU.
  struct Row: Sendable {
    var type: String
    var hidden, intermediate, topK, experts: Int
    /// Ranks that share out the experts.
    var ranks = 1
    /// Whether each launch had weights of its own, which no cache held.
    var isCold = false
    /// Of several, the load of the one that was measured; nil where it is not known.
    var onRank: ExpertLoads.Load?
    /// Tokens of all ranks together.
    var tokens: Int
    var active: Double
    /// How unevenly the active experts are loaded: 0 for evenly, 1 for a power law.
    var skew = 0.0
    /// Tiles of 16, 32, 64 and 128 tokens.
    var tiles: SIMD4<Double>
    var seconds: Double
  }

  static let name = "moe"
  static let table = "moe"

  /// The rows of a table that does not say what its routing asks of the kernel: that comes from another one.
  ///
  /// Layers that several ranks share out by expert parallelism are rows of their own: ``sharedRows(of:_:)``.
  static func rows(
    of table: KernelTable, _ loads: ExpertLoads
  ) throws(CalibrationError) -> (tuned: [Row], untuned: [String]) {
    let ep = try table.integers("ep")
    if let row = ep.firstIndex(where: { $0 < 1 }) {
      throw .malformed(
        path: table.path, line: table.line(ofRow: row),
        problem: "ep is \(ep[row]), expected a number of ranks, 1 or more")
    }
    return tuned(try rows(of: table.keeping { ep[$0] == 1 }, loads: loads))
  }

  /// How much longer than in 16 bits a quantised layer may take, in the median, before its kernel counts as untuned.
  ///
  /// A judgement: no table says which kernels were tuned.
  static let untunedRatio = 1.25

  /// Rows without those of quantised layers that take over a quarter longer than the same layers in 16 bits, in the median
  /// of the launches that both were measured with; and the layers that were left out.
  ///
  /// Such a layer was measured with a kernel that lacks a tuned configuration: it moves half of the bytes, or a quarter, at
  /// a sixth of the bandwidth. Nobody serves a model with it. Another source may have the layer.
  static func tuned(_ rows: [Row]) -> (tuned: [Row], untuned: [String]) {
    var untuned: [String] = []
    func launch(_ row: Row) -> [Double] {
      [row.hidden, row.intermediate, row.topK, row.experts, row.ranks, row.tokens].map(Double.init)
        + [row.active, row.skew]
    }
    let sixteenBit = Dictionary(
      rows.filter { $0.type == WeightFormat.bf16.rawValue }.map { (launch($0), $0.seconds) },
      uniquingKeysWith: min)
    let tuned = rows.grouped(by: layer) { $0.lexicographicallyPrecedes($1) }.flatMap { key, rows -> [Row] in
      let ratios = rows.compactMap { row in sixteenBit[launch(row)].map { row.seconds / $0 } }.sorted()
      if ratios.isEmpty || ratios[ratios.count / 2] <= untunedRatio { return rows }
      untuned.append("\(key[0]) \(key[1...3].joined(separator: " x ")) top \(key[4])")
      return []
    }
    return (tuned, untuned)
  }

  static func rows(of table: KernelTable) throws(CalibrationError) -> [Row] {
    try rows(of: table, loads: nil)
  }

  static func rows(of table: KernelTable, loads: ExpertLoads?) throws(CalibrationError) -> [Row] {
    let types = try table.texts("dtype")
    let hidden = try table.integers("hidden")
    let intermediate = try table.integers("intermediate")
    let topK = try table.integers("topk")
    let experts = try table.integers("experts")
    let tp = try table.integers("tp")
    let tokens = try table.integers("tokens")
    let distributions = try table.texts("distribution")
    let loaded: [ExpertLoads.Load]
    if let loads {
      loaded = try loads.loads(of: table, experts: experts, topK: topK, distributions, tokens: tokens)
    } else {
      loaded = try ExpertLoads.loads(in: table)
    }
    let seconds = try table.seconds()
    var rows: [Row] = []
    for i in 0..<table.count {
      guard tp[i] > 0, intermediate[i] % tp[i] == 0 else {
        let problem = "tp is \(tp[i]), expected a divisor of the intermediate width \(intermediate[i])"
        throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
      rows.append(
        Row(
          type: types[i], hidden: hidden[i], intermediate: intermediate[i] / tp[i], topK: topK[i],
          experts: experts[i], tokens: tokens[i], active: loaded[i].active,
          skew: distributions[i].hasPrefix("balanced") ? 0 : 1, tiles: loaded[i].tiles, seconds: seconds[i]))
    }
    return rows
  }

  /// A layer of experts is put together of its kernels: permutation, gate and up, activation, down, combination.
  static func rows(of harness: [HarnessRow]) -> [Row] {
    let elementwise = Elementwise.rows(of: harness)
    /// The time of a kernel between the two products, by its own fit to all sizes that were measured.
    func streaming(_ kernel: String, bytes: Double) -> Double {
      let samples = elementwise.filter { $0.kernel == kernel }.map {
        RelativeFit.Sample(
          features: SIMD8(1, $0.bytes, 0, 0, 0, 0, 0, 0), seconds: $0.seconds, isHeldOut: false)
      }
      return samples.isEmpty ? 0 : RelativeFit(samples, count: 2).predict(SIMD8(1, bytes, 0, 0, 0, 0, 0, 0))
    }
    func key(_ row: HarnessRow) -> [String] {
      [row.model, row.type] + [row.tp, row.m, row.experts, row.topK, row.active].map(String.init) + [row.skew]
    }
    let downs = Dictionary(grouping: harness.filter { $0.kernel == "expert_down" }, by: key)
    let ups = harness.filter { $0.kernel == "expert_gate_up" }
      .grouped(by: key) { $0.lexicographicallyPrecedes($1) }
    return ups.compactMap { key, sizes in
      guard let up = sizes.min(by: { $0.seconds < $1.seconds }),
        let down = downs[key]?.min(by: { $0.seconds < $1.seconds })
      else { return nil }
      let choices = Double(up.m * up.topK)
      let hidden = Double(up.k)
      let intermediate = up.n / 2
      let between =
        streaming("permute", bytes: 4 * choices * hidden)
        + streaming("silu_mul", bytes: 6 * choices * Double(intermediate))
        + streaming("combine", bytes: 2 * (choices + Double(up.m)) * hidden)
      // Popularity falls as a power of the rank: 1 is the power law of the other tables.
      let skew = min(1, Double(up.skew) ?? 0)
      var tiles = SIMD4<Double>.zero
      for (i, tokens) in [16.0, 32, 64, 128].enumerated() {
        tiles[i] = expectedTiles(
          choices: choices, active: Double(up.active), tileTokens: tokens, skew: skew)
      }
      return Row(
        type: up.type, hidden: up.k, intermediate: intermediate, topK: up.topK, experts: up.experts,
        isCold: true, tokens: up.m, active: Double(up.active), skew: skew, tiles: tiles,
        seconds: up.seconds + down.seconds + between)
    }
  }

  static func key(_ row: Row) -> [String] { layer(row) + ["\(row.ranks)"] }

  /// The layer that a row is a measurement of, whoever shares it.
  static func layer(_ row: Row) -> [String] {
    [row.type, "\(row.hidden)", "\(row.intermediate)", "\(row.experts)", "\(row.topK)"]
  }

  /// Fits each shape, and all shapes together.
  static func fit(_ rows: [Row], _ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    var laws: [[String]: OneRankLaw] = [:]
    for (type, rows) in rows.grouped(by: \.type, <) {
      let format = try calibrator.format(type, of: self)
      let slot = indexOfCachedBytes
      var shapes: [FittedShape] = []
      var groups: [[RelativeFit.Sample]] = []
      var errors: [HeldOutError] = []
      var warm: [Int] = []
      for (dimensions, rows) in byLayer(rows) {
        let rank = calibrator.ranks(rows.map(\.tokens))
        let plain = rows.map { features($0, load(of: $0), format) }
        let cached = CachedRows(
          bytes: zip(rows, plain).map { $0.isCold ? nil : $1[1] }, of: calibrator.figures)
        let samples = rows.enumerated().map { index, row in
          RelativeFit.Sample(
            features: cached.features(plain[index], of: index, cached: slot), seconds: row.seconds,
            isHeldOut: rank[row.tokens, default: 0] % 2 == 1)
        }
        // Launches whose weights lay in the cache say nothing of what they take in a run.
        let places = rows.enumerated().map { index, row in
          cached.isCached[index] ? nil : CorrectedPlace(rows: Double(row.tokens), isSkewed: row.skew > 0.5)
        }
        let fit = try calibrator.fit(
          self, name, dimensions, samples, measured: [rows.map { Double($0.tokens) }],
          places: cached.sayLittleOfMemory ? nil : places)
        if cached.sayLittleOfMemory { warm.append(shapes.count) }
        laws[[type] + dimensions.map(String.init)] = OneRankLaw(
          coefficients: fit.shape.vector, knowsCached: cached.areFittedApart)
        shapes.append(fit.shape.replacing(slot, by: 0))
        errors += fit.errors
        groups.append(
          samples.enumerated().map { index, sample in
            var sample = sample
            if cached.isCached[index] { sample.features = plain[index].moving(1, to: slot) }
            let row = rows[index]
            sample.features[indexOfChoiceBytes] = Double(row.tokens) * shape(row, format).choiceBytesPerRow
            return sample
          })
      }

      let count = coefficients.count
      let others = RelativeFit.errors(ofEachOf: groups, count: count)
      let all = groups.flatMap { $0 }
      let any = calibrator.shape(
        [], RelativeFit(all, count: count), rows: all.count, errors: others,
        measured: [rows.map { Double($0.tokens) }]
      ).replacing(slot, by: 0)
      // What was measured in the cache alone takes the time of a byte of memory from all others.
      for index in warm {
        shapes[index] = shapes[index].replacing(1, by: max(shapes[index].values[1], any.values[1]))
      }
      let inTiles =
        format.hasGrowingTiles
        ? " + tiles * flops of a row * (p + tile tokens * f_tile)"
        : format.hasFixedTiles ? " + tiles of 128 * 128 * flops of a row * f_tile" : ""
      let formula =
        "t0 + active * expert bytes * b + flops * (f + skew * g), skew 1 for rows by a power law" + inTiles
        + "; times the correction of the number of rows, or in the law of all shapes + bytes of choices * b_choices; bytes that "
        + "lay in the cache were fitted apart, and have no price in a run"
      let bar = format.hasGrowingTiles ? ErrorBar(median: 5, p90: 14) : ErrorBar(median: 4, p90: 12)
      kernels.append(
        calibrator.kernel(
          self, name, type, formula, dimensions: ["hidden", "intermediate", "experts", "topk"], errors, bar,
          shapes))

      kernels.append(
        calibrator.kernel(self, allShapes, type, formula, dimensions: [], others, nil, [any]))
    }
    return try kernels + fitOverRanks(laws, calibrator)
  }

  /// Rows of one type in groups of the same layer, which has these dimensions in a calibration.
  static func byLayer(_ rows: [Row]) -> [([Int], [Row])] {
    rows.grouped(
      by: { [$0.hidden, $0.intermediate, $0.experts, $0.topK] }, { $0.lexicographicallyPrecedes($1) })
  }

  /// The load of one rank that has all experts.
  private static func load(of row: Row) -> ExpertLoads.Load {
    ExpertLoads.Load(
      choices: Double(row.tokens) * Double(row.topK), active: row.active, tiles: row.tiles)
  }

  /// Features in the order of the coefficients.
  static func features(_ row: Row, _ load: ExpertLoads.Load, _ format: WeightFormat) -> SIMD8<Double> {
    let shape = shape(row, format)
    let operations = load.choices * shape.flopsPerChoice
    var features = SIMD8(
      1, load.active * shape.expertBytes, operations, 0, 0, 0, 0, row.skew * operations)
    if let tile = shape.tileTokens(rows: Double(row.tokens)) {
      let tiles = load.tiles(of: tile, skew: row.skew) * shape.flopsPerChoice
      features[3] = format.hasGrowingTiles ? tiles : 0
      features[4] = tiles * tile
    }
    return features
  }

  /// The sizes that a row was measured with, as of one rank.
  static func shape(_ row: Row, _ format: WeightFormat) -> Shape {
    Shape(
      hidden: row.hidden, intermediate: row.intermediate, experts: row.experts, topK: row.topK,
      format: format)
  }

  static func shape(_ kernel: FittedKernel, _ d: [Int]) -> Shape? {
    guard kernel.kernel == name, let format = WeightFormat(rawValue: kernel.type) else { return nil }
    return Shape(hidden: d[0], intermediate: d[1], experts: d[2], topK: d[3], format: format)
  }

  static func typicalWork(_ shape: Shape, middle: Double) -> Work {
    Work(rows: middle, active: Double(shape.experts))
  }
}
