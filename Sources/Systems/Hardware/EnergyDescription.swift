/// What a GPU draws: a constant, more while kernels run, and a part for each byte and each operation.
///
/// `energy = idle · time + busy · time in kernels + perByte · bytes + perFlop · operations + MXFP4 bytes · mxfp4`, where
/// operations in 8 or 4 bits count in part; the board's limit bounds its average: see ``PowerDescription``.
public struct EnergyDescription: Sendable, Hashable {
  /// Power between kernels of a serving engine, clocks up, in watts.
  public var idleWatts = 0.0
  /// Power above idle of busy multiprocessors, whatever they do, in watts.
  public var busyWatts = 0.0
  /// Energy above idle of a byte moved to or from HBM and through the chip, in picojoules.
  public var perBytePicojoules = 0.0
  /// Energy above idle of a 16-bit tensor-core operation, in picojoules.
  public var perFlopPicojoules = 0.0

  /// Energy of an operation on operands of 8 or 4 bits, as a share of a 16-bit one.
  public var narrowFlopShare = 0.5
  /// Energy of dequantising a byte of MXFP4 weights, in picojoules.
  public var mxfp4Picojoules = 0.0

  /// Energy above idle of a byte moved.
  public var joulesPerByte: Double { perBytePicojoules * 1e-12 }
  /// Energy above idle of a floating-point operation.
  public var joulesPerFlop: Double { perFlopPicojoules * 1e-12 }

  /// Creates the description of a GPU that draws nothing.
  public init() {}
}
