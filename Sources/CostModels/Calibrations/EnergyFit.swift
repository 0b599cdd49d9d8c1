import Systems

/// What a GPU draws, fitted to measured windows: `joules = idle · time + perByte · bytes + perFLOP · operations`.
///
/// The board's power limit cuts this off: windows at the limit say no more than that the sum would exceed it.
public struct EnergyFit: Codable, Sendable, Hashable {
  /// The file that the windows come from.
  public let source: String
  /// Power that flows at any load, in watts.
  public let idleWatts: Double
  /// Energy of a byte moved, above idle, in picojoules.
  public let perBytePicojoules: Double
  /// Energy of an operation, above idle, in picojoules.
  public let perFLOPPicojoules: Double
  /// The standard errors of the three coefficients; 0 where one rests at its bound, 0.
  public let standardErrors: [Double]
  /// The board's power limit while it was measured, in watts.
  public let limitWatts: Double
  /// The windows that the coefficients were fitted to.
  public let rows: Int
  /// The errors of the energy on held-out windows below the limit, of a fit to the others.
  public let heldOut: ErrorSummary
  /// The errors of the energy, cut off at the limit, in windows that ran into it; nil if none did.
  public let atLimit: ErrorSummary?

  package init(
    source: String, idleWatts: Double, perBytePicojoules: Double, perFLOPPicojoules: Double,
    standardErrors: [Double], limitWatts: Double, rows: Int, heldOut: ErrorSummary, atLimit: ErrorSummary?
  ) {
    self.source = source
    self.idleWatts = idleWatts
    self.perBytePicojoules = perBytePicojoules
    self.perFLOPPicojoules = perFLOPPicojoules
    self.standardErrors = standardErrors
    self.limitWatts = limitWatts
    self.rows = rows
    self.heldOut = heldOut
    self.atLimit = atLimit
  }

  enum CodingKeys: String, CodingKey {
    case source, rows
    case idleWatts = "idle_w"
    case perBytePicojoules = "per_byte_pj"
    case perFLOPPicojoules = "per_flop_pj"
    case standardErrors = "standard_errors"
    case limitWatts = "limit_w"
    case heldOut = "held_out"
    case atLimit = "at_limit"
  }

  /// The standard deviation of the logarithm of the true energy over the predicted one.
  public var spread: Double { Spread.of(heldOut) }
}
