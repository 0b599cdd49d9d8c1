/// The row counts that an engine has captured CUDA graphs for.
///
/// A batch that fits runs on the next size up, its padding rows computed like the others; a larger one runs
/// eagerly, without padding.
public struct GraphSizes: Sendable, Hashable {
  /// The sizes, ascending; empty in an engine that pads nothing.
  public var sizes: [Int] = []

  /// The rows that a batch is computed with, and whether it runs from a graph.
  ///
  /// An engine without sizes is taken to run everything from graphs of the very size.
  ///
  /// - Complexity: O(log n) in the number of sizes.
  public func padded(rows: Int) -> (rows: Int, inGraph: Bool) {
    guard let largest = sizes.last else { return (rows, true) }
    guard rows <= largest, rows > 0 else { return (rows, rows <= 0) }
    var (low, high) = (0, sizes.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if sizes[middle] < rows { low = middle + 1 } else { high = middle }
    }
    return (sizes[low], true)
  }

  /// Creates the sizes of an engine that pads nothing.
  public init() {}
}
