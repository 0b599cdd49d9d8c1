/// The row counts that an engine has captured CUDA graphs for.
///
/// A batch that fits runs on the next size up, its padding rows computed like the others; a larger one runs
/// eagerly, without padding.
public struct GraphSizes: Sendable, Hashable {
  /// The sizes, ascending; empty in an engine that pads nothing.
  public var sizes: [Int] = []
  /// The largest size, `max_cudagraph_capture_size`: sizes above are left out, and beyond ``sizes`` there is one at every
  /// multiple of 16 up to it, as vLLM has them; 0 for ``sizes`` as they are.
  public var largest = 0
  /// Whether only decode is captured, as in SGLang and TensorRT-LLM: layers that carry prefill run eagerly, without padding.
  public var decodesOnly = false

  /// The rows that a batch is computed with, and whether it runs from a graph.
  ///
  /// An engine without sizes is taken to run everything from graphs of the very size.
  ///
  /// - Parameters:
  ///   - rows: tokens of the batch.
  ///   - carriesPrefill: whether some of them are of prompts.
  /// - Returns: both.
  /// - Complexity: O(log n) in the number of sizes.
  public func padded(rows: Int, carriesPrefill: Bool) -> (rows: Int, inGraph: Bool) {
    guard let last = sizes.last else { return (rows, true) }
    guard !(decodesOnly && carriesPrefill) else { return (rows, false) }
    guard rows > 0, largest == 0 || rows <= largest else { return (rows, rows <= 0) }
    guard rows <= last else {
      return largest > 0 ? (min((rows + 15) / 16 * 16, largest), true) : (rows, false)
    }
    var (low, high) = (0, sizes.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if sizes[middle] < rows { low = middle + 1 } else { high = middle }
    }
    return (largest > 0 ? min(sizes[low], largest) : sizes[low], true)
  }

  /// Creates the sizes of an engine that pads nothing.
  public init() {}
}
