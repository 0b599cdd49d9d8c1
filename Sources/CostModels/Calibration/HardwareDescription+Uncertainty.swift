extension HardwareDescription {
  /// The GPU in one of the worlds that is possible: its energies each times a log-normal factor, by their quality.
  ///
  /// - Parameters:
  ///   - seed: The seed of all draws.
  ///   - draw: Which draw.
  ///   - energy: The fit that the energies come from, if they were measured: its held-out errors are their spread.
  /// - Returns: A GPU of the same figures but for its energies.
  public func perturbed(seed: UInt64, draw: Int, energy fit: EnergyFit? = nil) -> HardwareDescription {
    let perturbation = Perturbation(seed: seed, draw: draw)
    var copy = self
    let paths: [WritableKeyPath<HardwareDescription, Double>] = [
      \.energy.idleWatts, \.energy.perBytePicojoules, \.energy.perFlopPicojoules,
    ]
    for (name, path) in zip(Self.energyPaths, paths) {
      let quality = provenance[name]?.quality
      let spread = quality == .measured ? fit?.spread ?? Spread.measured : Spread.of(quality)
      copy[keyPath: path] *= perturbation.factor(name, spread: spread)
    }
    // A board that idles at its limit could run no kernel.
    copy.energy.idleWatts = min(copy.energy.idleWatts, max(energy.idleWatts, 0.9 * powerLimitWatts))
    return copy
  }
}
