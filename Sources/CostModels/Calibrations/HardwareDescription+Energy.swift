import Support
import Systems

extension HardwareDescription {
  /// Takes over measured energies in place of the file's.
  public mutating func adopt(_ fit: EnergyFit) {
    energy.idleWatts = fit.idleWatts
    energy.busyWatts = fit.busyWatts
    energy.perBytePicojoules = fit.perBytePicojoules
    energy.perFlopPicojoules = fit.perFLOPPicojoules
    let source =
      "Fitted to \(fit.rows) windows of \(fit.source); held-out error \(formatted(fit.heldOut.median, digits: 3)) % "
      + "median, \(formatted(fit.heldOut.p90, digits: 3)) % P90."
    for path in Self.energyPaths { provenance[path] = Provenance(quality: .measured, source: source) }
    guard let throttling = fit.throttling else { return }
    power.clockExponent = throttling.clockExponent
    let windows =
      "Fitted to the times of \(throttling.errors.rows) windows at the limit of \(fit.source), with those energies; "
      + "error \(formatted(throttling.errors.median, digits: 3)) % median."
    provenance["power.clock_exponent"] = Provenance(quality: .fitted, source: windows)
    guard let window = throttling.windowMilliseconds, let errors = throttling.burstErrors else { return }
    power.windowMilliseconds = window
    let bursts =
      "Fitted to the mean launch of \(errors.rows) bursts of a product, measured beside \(fit.source); "
      + "error \(formatted(errors.median, digits: 3)) % median."
    provenance["power.window_ms"] = Provenance(quality: .fitted, source: bursts)
  }

  static let energyPaths = ["energy.idle_w", "energy.per_byte_pj", "energy.per_flop_pj", "energy.busy_w"]
}
