import CostModels
import Support
import Systems

extension Experts {
  /// The rows of a table whose experts several ranks share out, with the loads that the same routing has on one rank.
  ///
  /// These are what a run knows when it prices such a layer; what falls on the rank that was measured (``Row/onRank``) is
  /// what a fit knows. Rows whose routing is not known are passed over, and so are layers whose kernels were not tuned.
  static func sharedRows(of table: KernelTable, _ loads: ExpertLoads) throws(CalibrationError) -> [Row] {
    let ep = try table.integers("ep")
    let experts = try table.integers("experts")
    let topK = try table.integers("topk")
    let tokens = try table.integers("tokens")
    let distributions = try table.texts("distribution")
    func load(_ i: Int, ranks: Int) -> ExpertLoads.Load? {
      loads.load(experts: experts[i], topK: topK[i], ranks: ranks, distributions[i], tokens: tokens[i])
    }
    // Rows of one rank tell, too, whether a layer's kernels were tuned.
    let isGrouped = try grouped(table)
    let kept = (0..<table.count).filter { load($0, ranks: 1) != nil && !isGrouped[$0] }
    let places = Set(kept)
    var rows = try rows(of: table.keeping { places.contains($0) }, loads: loads)
    for (i, place) in kept.enumerated() {
      rows[i].ranks = ep[place]
      rows[i].onRank = load(place, ranks: ep[place])
    }
    return tuned(rows).tuned.filter { $0.ranks > 1 }
  }

  /// Which balanced rows of several ranks were measured with routing that keeps some groups of experts.
  ///
  /// Rows of one rank are named so, since their times show it; those of several ranks were measured the same way, and what
  /// fell on the rank that was measured is not known.
  private static func grouped(_ table: KernelTable) throws(CalibrationError) -> [Bool] {
    let types = try table.texts("dtype")
    let distributions = try table.texts("distribution")
    let ep = try table.integers("ep")
    let sizes = [
      try table.integers("hidden"), try table.integers("intermediate"), try table.integers("topk"),
      try table.integers("experts"),
    ]
    func layer(_ i: Int) -> [String] { [types[i]] + sizes.map { "\($0[i])" } }
    let layers = Set(
      (0..<table.count).filter { distributions[$0].hasSuffix("_groups") }.map(layer))
    return (0..<table.count).map {
      ep[$0] > 1 && distributions[$0] == "balanced" && layers.contains(layer($0))
    }
  }

  /// Fits what layers over several ranks take beyond the law of one rank for the load of the rank that was measured.
  ///
  /// To balanced rows, whose loads are sure; rows by a power law check the price.
  ///
  /// - Parameters:
  ///   - laws: the fits of one rank, by type and dimensions.
  ///   - calibrator: the measurements.
  /// - Returns: for each format a fit of each layer, and one of all.
  /// - Throws: `CalibrationError` for a format that is not known.
  static func fitOverRanks(
    _ laws: [[String]: OneRankLaw], _ calibrator: Calibrator
  ) throws(CalibrationError) -> [FittedKernel] {
    let balanced = calibrator.measurements.sharedExperts.filter { $0.skew == 0 && $0.onRank != nil }
    var kernels: [FittedKernel] = []
    for (type, rows) in balanced.grouped(by: \.type, <) {
      let format = try calibrator.format(type, of: self)
      var shapes: [FittedShape] = []
      var groups: [[RelativeFit.Sample]] = []
      var errors: [HeldOutError] = []
      for (dimensions, rows) in byLayer(rows) {
        guard let law = laws[[type] + dimensions.map(String.init)], rows.count >= 8 else { continue }
        let rank = calibrator.ranks(rows.map(\.tokens))
        let samples = rows.compactMap { row in
          row.onRank.map { load in
            RelativeFit.Sample(
              features: SIMD8(1, Double(row.tokens) * shape(row, format).choiceBytesPerRow, 0, 0, 0, 0, 0, 0),
              known: law.seconds(
                features(row, load, format), slot: indexOfCachedBytes, on: calibrator.figures),
              seconds: row.seconds,
              isHeldOut: rank[row.tokens, default: 0] % 2 == 1)
          }
        }
        let unseen = RelativeFit.heldOutErrors(samples, count: 2)
        shapes.append(
          calibrator.shape(
            dimensions, RelativeFit(samples, count: 2), rows: rows.count, errors: unseen,
            measured: sizes(rows)))
        errors += unseen
        groups.append(samples)
      }
      guard !groups.isEmpty else { continue }
      let others = RelativeFit.errors(ofEachOf: groups, count: 2)
      let all = groups.flatMap { $0 }
      let any = calibrator.shape(
        [], RelativeFit(all, count: 2), rows: all.count, errors: others, measured: sizes(rows))
      kernels += [
        kernel(overRanks, type, ["hidden", "intermediate", "experts", "topk"], errors, shapes, calibrator),
        kernel(overRanksAllShapes, type, [], others, [any], calibrator),
      ]
    }
    return kernels
  }

  /// The law of one rank with all experts, with the time of bytes that lay in the cache while they were measured.
  struct OneRankLaw {
    var coefficients: SIMD8<Double>
    /// Whether that has a coefficient of its own.
    var knowsCached: Bool

    /// The time of a row with these features, of which the second are the bytes.
    func seconds(_ features: SIMD8<Double>, slot: Int, on device: DeviceFigures) -> Double {
      (coefficients * (knowsCached && device.caches(features[1]) ? features.moving(1, to: slot) : features))
        .sum()
    }
  }

  /// The rows and the ranks that were measured; what holds for four ranks holds for two.
  private static func sizes(_ rows: [Row]) -> [[Double]] {
    [rows.map { Double($0.tokens) }, [2] + rows.map { Double($0.ranks) }]
  }

  private static func kernel(
    _ name: String, _ type: String, _ dimensions: [String], _ errors: [HeldOutError], _ shapes: [FittedShape],
    _ calibrator: Calibrator
  ) -> FittedKernel {
    FittedKernel(
      kernel: name, type: type,
      formula: "law of one rank for the busiest one's load + t0 + bytes of all choices * b",
      quality: .measured,
      source: calibrator.source(of: table), dimensions: dimensions,
      coefficients: [.init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B")], ranges: ["rows", "ranks"],
      heldOut: ErrorSummary(errors), beyondClock: calibrator.beyondClock(errors), bar: nil, shapes: shapes)
  }
}

extension Calibration {
  /// How far off the prices of layers of experts that several ranks share out are, for a format and a number of ranks.
  struct SharedExpertsErrors {
    var type: String
    var ranks: Int
    /// The median error with its sign, in percent: below zero where prices are too low.
    var bias: Double
    var errors: ErrorSummary
    /// The bias of ranks that pass over the choices of their own experts alone.
    var ownChoicesBias: Double
  }

  /// The errors of the prices of layers of experts that several ranks share out, for each format and number of ranks.
  ///
  /// A check, on rows by a power law: no coefficient of several ranks is fitted to them, and the load of the busiest rank is
  /// guessed as in a run. Formats that have no fits are left out, and so are rows of which a rank's weights lay in the cache.
  ///
  /// - Complexity: O(rows x measured shapes).
  func sharedExpertsErrors(_ rows: [Experts.Row]) -> [SharedExpertsErrors] {
    func order(_ a: [String], _ b: [String]) -> Bool {
      (a[0], Int(a[1]) ?? 0) < (b[0], Int(b[1]) ?? 0)
    }
    let cold = rows.filter { row in
      guard row.skew > 0, let format = WeightFormat(rawValue: row.type) else { return false }
      return row.onRank.map { !figures.caches($0.active * Experts.shape(row, format).expertBytes) } ?? true
    }
    return cold.grouped(by: { [$0.type, "\($0.ranks)"] }, order).compactMap {
      key, rows in
      guard let format = WeightFormat(rawValue: key[0]), let ranks = Int(key[1]) else { return nil }
      let errors = relativeErrors(rows, format, passesOverOwnChoices: false)
      return ErrorSummary(errors).map {
        SharedExpertsErrors(
          type: format.rawValue, ranks: ranks, bias: median(errors), errors: $0,
          ownChoicesBias: median(relativeErrors(rows, format, passesOverOwnChoices: true)))
      }
    }
  }

  private func median(_ errors: [Double]) -> Double { 100 * errors.sorted()[errors.count / 2] }

  /// Predicted over measured, minus one, of rows whose layers have fits.
  private func relativeErrors(
    _ rows: [Experts.Row], _ format: WeightFormat, passesOverOwnChoices: Bool
  ) -> [Double] {
    rows.grouped(by: Experts.key, { $0.lexicographicallyPrecedes($1) }).flatMap { _, rows in
      var shape = Experts.shape(rows[0], format)
      shape.ranks = rows[0].ranks
      shape.isGated =
        !Experts.isMeasuredWithoutGates(hidden: shape.hidden, experts: shape.experts, topK: shape.topK)
      shape.passesOverOwnChoices = passesOverOwnChoices
      let fit = fit(shape)
      guard fit.quality != .dataSheet else { return [Double]() }
      return rows.map { row in
        fit.seconds(.init(rows: Double(row.tokens), active: row.active, skew: row.skew)) / row.seconds - 1
      }
    }
  }

  /// A table of ``sharedExpertsErrors(_:)`` under a line that says what they are; empty without such rows.
  func sharedExpertsReport(_ rows: [Experts.Row]) -> String {
    let errors = sharedExpertsErrors(rows)
    guard !errors.isEmpty else { return "" }
    let header = ["type", "ranks", "rows", "bias %", "median %", "P90 %", "worst %", "own choices: bias %"]
    let lines = errors.map { group in
      let errors = group.errors
      return [group.type, "\(group.ranks)", "\(errors.rows)"]
        + [group.bias, errors.median, errors.p90, errors.worst, group.ownChoicesBias]
        .map { formatted(($0 * 10).rounded() / 10) }
    }
    return
      "experts over several ranks: prices of rows by a power law, which no fit has seen, and the bias without what ranks take\n"
      + "to pass over the choices of all\n" + TextTable(rows: [header] + lines, right: 1..<8).text
  }
}
