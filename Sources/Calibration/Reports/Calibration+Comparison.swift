import CostModels
import Support

extension Calibration {
  /// A table of two calibrations' kernels side by side: errors on held-out rows, and by how much the second is
  /// slower or faster on the shapes that both know.
  ///
  /// The ratio is the median over shapes of the second's time to the first's, at the middle of the range that both
  /// measured, on the logarithm.
  ///
  /// - Parameter other: The second calibration.
  /// - Returns: The table, ending in a line end.
  /// - Complexity: O(n²) in the shapes of a kernel.
  public func comparison(with other: Calibration) -> String {
    var rows = [["kernel", "type", "median %", "P90 %", "time ratio"]]
    for kernel in kernels {
      guard let match = other.kernels.first(where: { $0.kernel == kernel.kernel && $0.type == kernel.type })
      else {
        rows.append([kernel.kernel, kernel.type, "", "", "only in the first"])
        continue
      }
      func pair(_ value: (ErrorSummary) -> Double) -> String {
        [kernel, match].map { $0.heldOut.map { formatted(value($0), digits: 2) } ?? "-" }.joined(
          separator: " -> ")
      }
      let ratios = kernel.shapes.compactMap { shape -> Double? in
        guard let twin = match.shapes.first(where: { $0.dimensions == shape.dimensions }) else { return nil }
        return other.time(kernel, twin, at: shape).flatMap { second in
          time(kernel, shape, at: shape).map { second / $0 }
        }
      }.sorted()
      let ratio = ratios.isEmpty ? "" : formatted(ratios[ratios.count / 2], digits: 3)
      rows.append([kernel.kernel, kernel.type, pair(\.median), pair(\.p90), ratio])
    }
    for kernel in other.kernels
    where !kernels.contains(where: { $0.kernel == kernel.kernel && $0.type == kernel.type }) {
      rows.append([kernel.kernel, kernel.type, "", "", "only in the second"])
    }
    return "\(gpu), \(source) -> \(other.gpu), \(other.source)\n" + TextTable(rows: rows).text
  }

  /// The time of a typical launch of a shape, at the geometric middle of what `reference` measured.
  func time(_ kernel: FittedKernel, _ shape: FittedShape, at reference: FittedShape) -> Double? {
    for family in measuredFamilies {
      if let seconds = time(family, kernel, shape, at: reference) { return seconds }
    }
    return nil
  }

  private func time<Family: MeasuredFamily>(
    _ family: Family.Type, _ kernel: FittedKernel, _ fitted: FittedShape, at reference: FittedShape
  ) -> Double? {
    guard let shape = Family.shape(kernel, fitted.dimensions), shape.kernel == kernel.kernel else {
      return nil
    }
    let range = reference.range(0)
    let middle = (max(1, range.lowerBound) * max(1, range.upperBound)).squareRoot()
    return fit(shape).seconds(Family.typicalWork(shape, middle: middle))
  }
}
