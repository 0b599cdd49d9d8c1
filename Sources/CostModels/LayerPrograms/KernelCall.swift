import Systems

/// A kernel that a step launches: its name in results, its family and shape, and how much it does for some rows.
public protocol KernelCall: Sendable {
  /// The family whose law holds.
  associatedtype Family: KernelFamily
  /// The kernel's name in results.
  var kernel: KernelKind { get }
  /// What is fixed.
  var shape: Family.Shape { get }
  /// Kernels that an engine launches one by one for it in a step of prompts.
  var launches: Int { get }
  /// The work of a step's rows; nil where the kernel is not launched for them, or where rows do not tell.
  func work(_ rows: LaunchRows) -> Family.Work?
  /// How rows alone are priced; nil where they do not say how much there is to do, as in attention and experts.
  var rowPricing: RowPricing? { get }
}

/// Makes the price of a launch by its rows from the engine, the GPU's power, and the fits.
///
/// A closure, made where the family is known: what is called through a protocol is compiled for any family, and takes
/// several times as long.
public struct RowPricing: Sendable {
  let makeLaunch: @Sendable (EngineDescription, PowerModel, Calibration) -> RowLaunch
}

/// One launch for some rows; nil where the kernel is not launched for them.
typealias RowLaunch = @Sendable (LaunchRows) -> Launch?

/// The rows that a kernel runs on.
public struct LaunchRows: Sendable, Hashable {
  /// Rows with a token.
  public var rows: Int
  /// Rows that are computed, padding included.
  public var computed: Int
  /// Whether kernels are launched from a CUDA graph, not one by one.
  public var isInGraph: Bool

  /// Creates rows.
  public init(rows: Int, computed: Int, isInGraph: Bool = true) {
    self.rows = rows
    self.computed = computed
    self.isInGraph = isInGraph
  }
}

extension GraphSizes {
  /// What a layer's kernels run on for a number of tokens, of prompts or not.
  func launchRows(_ rows: Int, carriesPrefill: Bool) -> LaunchRows {
    let (computed, inGraph) = padded(rows: rows, carriesPrefill: carriesPrefill)
    return LaunchRows(rows: rows, computed: computed, isInGraph: inGraph)
  }
}

/// A kernel whose rows say how much it does.
struct RowCall<Family: KernelFamily>: KernelCall {
  let kernel: KernelKind
  let shape: Family.Shape
  let amount: @Sendable (LaunchRows) -> Family.Work?
  let rowPricing: RowPricing?
  let launches: Int

  init(
    _ kernel: KernelKind, _ shape: Family.Shape, launches: Int? = nil,
    _ amount: @escaping @Sendable (LaunchRows) -> Family.Work?
  ) {
    self.kernel = kernel
    self.shape = shape
    self.launches = launches ?? shape.launches
    self.amount = amount
    rowPricing = RowPricing { engine, power, calibration in
      let price = PricedKernel<Family>(shape, engine: engine, power: power, calibration: calibration)
      return { rows in
        guard let work = amount(rows) else { return nil }
        return price.launch(work)
      }
    }
  }

  func work(_ rows: LaunchRows) -> Family.Work? { amount(rows) }
}

/// A kernel whose work follows from contexts, segments or routing: the cost model asks for it by its family.
struct LoadCall<Family: KernelFamily>: KernelCall {
  let kernel: KernelKind
  let shape: Family.Shape
  let launches: Int
  var rowPricing: RowPricing? { nil }

  init(_ kernel: KernelKind, _ shape: Family.Shape, launches: Int? = nil) {
    self.kernel = kernel
    self.shape = shape
    self.launches = launches ?? shape.launches
  }

  func work(_ rows: LaunchRows) -> Family.Work? { nil }
}
