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
  }

  static let energyPaths = ["energy.idle_w", "energy.per_byte_pj", "energy.per_flop_pj", "energy.busy_w"]
}
