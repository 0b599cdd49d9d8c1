import CostModels
import Support
import Systems

extension Calibration {
  /// A table of the kernels that a model launches on one GPU, and what each one's times rest on.
  ///
  /// - Parameter shard: What each GPU holds of the model.
  /// - Returns: The table, and a line that names the kernels that were not measured at their shape.
  public func explanation(of shard: ModelShard) -> String {
    var rows = [["kernel", "shape", "fit", "measured", "median %", "P90 %", "sigma %"]]
    var missing: [String] = []
    var calls = LayerProgram.before(shard)
    for kind in shard.kinds { calls += LayerProgram(kind, of: shard).calls }
    calls += LayerProgram.after(shard)
    var seen: Set<String> = []
    for call in calls {
      let explained = explanation(of: call)
      guard seen.insert(explained.row[..<2].joined(separator: " ")).inserted else { continue }
      rows.append(explained.row)
      if explained.quality != .measured {
        missing.append("\(explained.row[0]) (\(explained.quality.rawValue))")
      }
    }
    let note = missing.isEmpty ? "all measured" : "not measured: \(missing.joined(separator: ", "))"
    return "\(shard.model.name) on \(shard.gpus) x \(gpu), \(source)\n"
      + TextTable(rows: rows, right: 4..<7).text + note
      + "\n"
  }

  private func explanation<Call: KernelCall>(of call: Call) -> (row: [String], quality: Quality) {
    let fit = fit(call.shape)
    let ranges = Call.Family.ranges.enumerated().compactMap { index, name -> String? in
      let range = fit.measured[index]
      guard fit.quality == .measured, !range.isEmpty, range.upperBound.isFinite else { return nil }
      return
        "\(formatted(range.lowerBound, digits: 7))...\(formatted(range.upperBound.nextDown, digits: 7)) \(name)"
    }
    let errors = fit.heldOut.map { [formatted($0.median, digits: 2), formatted($0.p90, digits: 2)] }
    let row =
      [call.kernel.rawValue, call.shape.description, fit.quality.rawValue]
      + [fit.quality == .measured ? ranges.joined(separator: ", ") : "-"] + (errors ?? ["-", "-"])
      + [formatted(100 * fit.spread, digits: 2)]
    return (row, fit.quality)
  }
}
