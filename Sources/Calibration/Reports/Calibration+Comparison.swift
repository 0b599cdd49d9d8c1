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
        rows.append([kernel.kernel.rawValue, kernel.type, "", "", "only in the first"])
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
      rows.append([kernel.kernel.rawValue, kernel.type, pair(\.median), pair(\.p90), ratio])
    }
    for kernel in other.kernels
    where !kernels.contains(where: { $0.kernel == kernel.kernel && $0.type == kernel.type }) {
      rows.append([kernel.kernel.rawValue, kernel.type, "", "", "only in the second"])
    }
    return "\(gpu), \(source) -> \(other.gpu), \(other.source)\n" + textTable(rows)
  }

  /// The time of a typical call of a shape: the geometric middle of what `reference` measured.
  private func time(_ kernel: FittedKernel, _ shape: FittedShape, at reference: FittedShape) -> Double? {
    func middle(_ index: Int) -> Double {
      let range = reference.range(index)
      return (max(1, range.lowerBound) * max(1, range.upperBound)).squareRoot()
    }
    let d = shape.dimensions
    let type = KernelDataType(rawValue: kernel.type) ?? .bf16
    switch kernel.kernel {
    case .gemm: return gemm(n: d[0], k: d[1], dtype: type).seconds(rows: middle(0))
    case .moe:
      let fit = moe(hidden: d[0], intermediatePerGPU: d[1], experts: d[2], topK: d[3], dtype: type)
      return fit.seconds(rows: middle(0), active: Double(d[2]))
    case .prefillAttention, .windowedPrefillAttention:
      let fit = prefillAttention(heads: d[0], kvHeads: d[1], headDim: d[2], window: d[3])
      var work = fit.emptyShape()
      work.add(tokens: 2048, prefix: 0)
      return fit.seconds(work)
    case .decodeAttention, .windowedDecodeAttention:
      let fit = decodeAttention(heads: d[0], kvHeads: d[1], headDim: d[2], window: d[3])
      return fit.seconds(batch: 32, contextTokens: 32 * 2048)
    case .allReduce:
      guard let implementation = AllReduceFit.Implementation(rawValue: kernel.type) else { return nil }
      return allReduce(implementation: implementation, gpus: d[0]).seconds(bytes: middle(0))
    case .elementwise: return elementwise(kernel.type).seconds(bytes: 1_048_576)
    case .gemmBetweenShapes, .gemmAllShapes, .moeAllShapes, .prefillAttentionPrefix: return nil
    }
  }
}
