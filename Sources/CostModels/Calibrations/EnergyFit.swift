import Systems

/// What a GPU draws, fitted to measured windows: `joules = idle · time + busy · time in kernels + perByte · bytes +
/// perFLOP · operations`.
///
/// The board's power limit cuts this off: windows at the limit say no more than that the sum would exceed it.
public struct EnergyFit: Codable, Sendable, Hashable {
  /// The file that the windows come from.
  public let source: String
  /// Power that flows at any load, in watts.
  public let idleWatts: Double
  /// Power above idle while kernels run, in watts; 0 in calibrations that were made without it.
  public let busyWatts: Double
  /// Energy of a byte moved, above idle, in picojoules.
  public let perBytePicojoules: Double
  /// Energy of an operation, above idle, in picojoules.
  public let perFLOPPicojoules: Double
  /// The standard errors of the coefficients, in the order idle, bytes, operations, busy; 0 where one rests at its bound, 0.
  public let standardErrors: [Double]
  /// The board's power limit while it was measured, in watts.
  public let limitWatts: Double
  /// The windows that the coefficients were fitted to.
  public let rows: Int
  /// The errors of the energy on held-out windows below the limit, of a fit to the others.
  public let heldOut: ErrorSummary
  /// The errors of the energy, cut off at the limit, in windows that ran into it; nil if none did.
  public let atLimit: ErrorSummary?
  /// How the power limit slows kernels down; nil where too few windows tell.
  public let throttling: ThrottlingFit?

  package init(
    source: String, idleWatts: Double, busyWatts: Double = 0, perBytePicojoules: Double,
    perFLOPPicojoules: Double,
    standardErrors: [Double], limitWatts: Double, rows: Int, heldOut: ErrorSummary, atLimit: ErrorSummary?,
    throttling: ThrottlingFit? = nil
  ) {
    self.source = source
    self.idleWatts = idleWatts
    self.busyWatts = busyWatts
    self.perBytePicojoules = perBytePicojoules
    self.perFLOPPicojoules = perFLOPPicojoules
    self.standardErrors = standardErrors
    self.limitWatts = limitWatts
    self.rows = rows
    self.heldOut = heldOut
    self.atLimit = atLimit
    self.throttling = throttling
  }

  enum CodingKeys: String, CodingKey {
    case source, rows, throttling
    case idleWatts = "idle_w"
    case busyWatts = "busy_w"
    case perBytePicojoules = "per_byte_pj"
    case perFLOPPicojoules = "per_flop_pj"
    case standardErrors = "standard_errors"
    case limitWatts = "limit_w"
    case heldOut = "held_out"
    case atLimit = "at_limit"
  }

  /// Reads a fit; files of earlier versions have no busy power.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    source = try values.decode(String.self, forKey: .source)
    idleWatts = try values.decode(Double.self, forKey: .idleWatts)
    busyWatts = try values.decodeIfPresent(Double.self, forKey: .busyWatts) ?? 0
    perBytePicojoules = try values.decode(Double.self, forKey: .perBytePicojoules)
    perFLOPPicojoules = try values.decode(Double.self, forKey: .perFLOPPicojoules)
    standardErrors = try values.decode([Double].self, forKey: .standardErrors)
    limitWatts = try values.decode(Double.self, forKey: .limitWatts)
    rows = try values.decode(Int.self, forKey: .rows)
    heldOut = try values.decode(ErrorSummary.self, forKey: .heldOut)
    atLimit = try values.decodeIfPresent(ErrorSummary.self, forKey: .atLimit)
    throttling = try values.decodeIfPresent(ThrottlingFit.self, forKey: .throttling)
  }

  /// The standard deviation of the logarithm of the true energy over the predicted one.
  public var spread: Double { Spread.of(heldOut) }
}
