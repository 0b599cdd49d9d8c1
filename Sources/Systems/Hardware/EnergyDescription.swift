/// What a GPU draws: a constant, and a part for each byte and each operation.
///
/// `energy = idle · time + perByte · bytes + perFlop · operations`, capped at the board's power limit.
public struct EnergyDescription: Sendable, Hashable {
  /// Power between kernels of a serving engine, clocks up, in watts.
  public var idleWatts = 0.0
  /// Energy above idle of a byte moved to or from HBM and through the chip, in picojoules.
  public var perBytePicojoules = 0.0
  /// Energy above idle of a 16-bit tensor-core operation, in picojoules.
  public var perFlopPicojoules = 0.0

  /// Energy above idle of a byte moved.
  public var joulesPerByte: Double { perBytePicojoules * 1e-12 }
  /// Energy above idle of a floating-point operation.
  public var joulesPerFlop: Double { perFlopPicojoules * 1e-12 }

  /// Creates the description of a GPU that draws nothing.
  public init() {}
}
