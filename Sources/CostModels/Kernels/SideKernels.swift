import Serving
import Systems

/// The kernels of a layer that are neither attention nor of all rows alike: what they take follows from the number of
/// decodes, or from the prompts' segments.
///
/// Of latent attention these are its products with the up-projection. Cached latent vectors of a chunk's prefix are expanded
/// again for every chunk. Of a layer without attention they are its convolution and its recurrence.
final class SideKernels: Sendable {
  /// The name of all of them in results.
  let kernel: KernelKind
  private let up: PricedKernel<MatrixProduct>?
  private let absorbed: [PricedKernel<MatrixProduct>]
  private let indexer: IndexScores?
  private let recurrence: [Recurrence.Stage: PricedKernel<Recurrence>]
  private let scan: [StateSpaceScan.Stage: PricedKernel<StateSpaceScan>]
  private let chunk: Int

  /// Creates the kernels; nil in a layer that has none.
  init?(
    _ kind: LayerKind, _ program: LayerProgram, engine: EngineDescription, power: PowerModel,
    calibration: Calibration
  ) {
    var spaces: StateSpace?
    switch kind.mixer {
    case .stateSpace(let space), .stateSpaceBesideAttention(let space, _, _, _): spaces = space
    default: break
    }
    chunk = spaces?.chunk ?? 1
    scan = Dictionary(
      program.shapes(of: StateSpaceScan.self, .recurrence).map {
        ($0.stage, PricedKernel($0, engine: engine, power: power, calibration: calibration))
      }, uniquingKeysWith: { first, _ in first })
    if spaces != nil {
      kernel = .recurrence
      (up, absorbed, indexer, recurrence) = (nil, [], nil, [:])
      return
    }
    if case .gatedDelta = kind.mixer {
      kernel = .recurrence
      recurrence = Dictionary(
        program.shapes(of: Recurrence.self, .recurrence).map {
          ($0.stage, PricedKernel($0, engine: engine, power: power, calibration: calibration))
        }, uniquingKeysWith: { first, _ in first })
      (up, absorbed, indexer) = (nil, [], nil)
      return
    }
    guard case .latentAttention(let latent) = kind.mixer else { return nil }
    kernel = .latentProducts
    recurrence = [:]
    let products = program.shapes(of: MatrixProduct.self, .latentProducts).map {
      PricedKernel<MatrixProduct>($0, engine: engine, power: power, calibration: calibration)
    }
    up = products.first
    absorbed = Array(products.dropFirst())
    indexer = latent.indexer.map {
      IndexScores($0, engine: engine, power: power, calibration: calibration)
    }
  }

  /// What decoding sequences take in a layer.
  ///
  /// Products are of rows. A recurrence is of sequences: all rows of one pass through its state in one launch.
  ///
  /// - Parameters:
  ///   - rows: rows of all sequences.
  ///   - width: rows of each.
  /// - Returns: one launch of each kernel, together.
  func decode(rows: Int, width: Int) -> Launch {
    var launch = Launch()
    guard rows > 0 else { return launch }
    for product in absorbed { launch += product.launch(Double(rows)) }
    var work = Recurrence.Work()
    work.add(tokens: width, count: rows / width)
    if let convolution = recurrence[.convolutionDecode] { launch += convolution.launch(work) }
    if let core = recurrence[.coreDecode] { launch += core.launch(work) }
    guard !scan.isEmpty else { return launch }
    var scanned = StateSpaceScan.Work(chunk: chunk)
    scanned.add(tokens: width, count: rows / width)
    if let convolution = scan[.convolutionDecode] { launch += convolution.launch(scanned) }
    if let core = scan[.coreDecode] { launch += core.launch(scanned) }
    return launch
  }

  /// What the prompts' segments take in a layer.
  ///
  /// - Complexity: O(segments).
  func prefill(_ segments: Span<PrefillSegment>) -> Launch {
    var launch = Launch()
    var (new, before) = (0, 0)
    var work = Recurrence.Work()
    for i in segments.indices {
      work.add(tokens: segments[i].tokens)
      new += segments[i].tokens
      before += segments[i].prefix
    }
    if let up {
      launch += up.launch(Double(new))
      if before > 0 { launch += up.launch(Double(before)) }
    }
    if let indexer { launch += indexer.prefill(segments) }
    if let convolution = recurrence[.convolutionPrefill] { launch += convolution.launch(work) }
    if let core = recurrence[.corePrefill] { launch += core.launch(work) }
    guard !scan.isEmpty else { return launch }
    var scanned = StateSpaceScan.Work(chunk: chunk)
    for i in segments.indices { scanned.add(tokens: segments[i].tokens, prefix: segments[i].prefix) }
    if let convolution = scan[.convolutionPrefill] { launch += convolution.launch(scanned) }
    if let core = scan[.corePrefill] { launch += core.launch(scanned) }
    return launch
  }
}
