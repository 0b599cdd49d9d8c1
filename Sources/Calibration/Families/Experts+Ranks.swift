import CostModels
import Support
import Systems

extension Experts {
  /// The rows of a table whose experts several ranks share out, with the loads that the same routing has on one rank.
  ///
  /// These are what a run knows when it prices such a layer; what falls on the rank that was measured is what the price has
  /// to guess. Rows whose routing is not known are passed over, and so are layers whose kernels were not tuned.
  static func sharedRows(of table: KernelTable, _ loads: ExpertLoads) throws(CalibrationError) -> [Row] {
    let ep = try table.integers("ep")
    let experts = try table.integers("experts")
    let topK = try table.integers("topk")
    let tokens = try table.integers("tokens")
    let distributions = try table.texts("distribution")
    // Rows of one rank tell, too, whether a layer's kernels were tuned.
    let kept = (0..<table.count).filter {
      loads.knows(experts: experts[$0], topK: topK[$0], distributions[$0], tokens: tokens[$0])
    }
    let places = Set(kept)
    var rows = try rows(of: table.keeping { places.contains($0) }, loads: loads)
    for (i, place) in kept.enumerated() { rows[i].ranks = ep[place] }
    return tuned(rows).tuned.filter { $0.ranks > 1 }
  }
}

extension Calibration {
  /// The errors of the prices of layers of experts that several ranks share out, for each format and number of ranks.
  ///
  /// A check: no coefficient is fitted to these rows. Formats that have no fits are left out. `bias` is the median error with
  /// its sign, in percent: below zero where prices are too low.
  ///
  /// - Complexity: O(rows x measured shapes).
  func sharedExpertsErrors(_ rows: [Experts.Row]) -> [(
    type: String, ranks: Int, bias: Double, errors: ErrorSummary
  )] {
    func order(_ a: [String], _ b: [String]) -> Bool {
      (a[0], Int(a[1]) ?? 0) < (b[0], Int(b[1]) ?? 0)
    }
    return rows.grouped(by: { [$0.type, "\($0.ranks)"] }, order).compactMap { key, rows in
      guard let format = WeightFormat(rawValue: key[0]), let ranks = Int(key[1]) else { return nil }
      var fits: [[String]: Fit<Experts>] = [:]
      let errors = rows.compactMap { row -> Double? in
        let fit =
          fits[Experts.key(row)]
          ?? fit(
            Experts.Shape(
              hidden: row.hidden, intermediate: row.intermediate, experts: row.experts, topK: row.topK,
              format: format, ranks: ranks,
              isGated: !Experts.isMeasuredWithoutGates(
                hidden: row.hidden, experts: row.experts, topK: row.topK)))
        fits[Experts.key(row)] = fit
        guard fit.quality != .dataSheet else { return nil }
        let work = Experts.Work(rows: Double(row.tokens), active: row.active, skew: row.skew)
        return fit.seconds(work) / row.seconds - 1
      }
      let bias = errors.isEmpty ? 0 : 100 * errors.sorted()[errors.count / 2]
      return ErrorSummary(errors).map { (format.rawValue, ranks, bias, $0) }
    }
  }

  /// A table of ``sharedExpertsErrors(_:)`` under a line that says what they are; empty without such rows.
  func sharedExpertsReport(_ rows: [Experts.Row]) -> String {
    let errors = sharedExpertsErrors(rows)
    guard !errors.isEmpty else { return "" }
    let lines = errors.map { type, ranks, bias, errors in
      [type, "\(ranks)", "\(errors.rows)"]
        + [bias, errors.median, errors.p90, errors.worst].map { formatted(($0 * 10).rounded() / 10) }
    }
    return
      "experts over several ranks: an estimate after one rank, checked on rows that nothing is fitted to\n"
      + TextTable(
        rows: [["type", "ranks", "rows", "bias %", "median %", "P90 %", "worst %"]] + lines, right: 1..<7
      ).text
  }
}
