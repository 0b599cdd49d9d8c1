import Systems

extension HardwareDescription {
  /// The GPU in one of the worlds that is possible: its energies each times a log-normal factor, by their quality.
  ///
  /// - Parameters:
  ///   - seed: The seed of all draws.
  ///   - draw: Which draw.
  ///   - energy: The fit that the energies come from, if they were measured: its held-out errors are their spread.
  /// - Returns: A GPU of the same figures but for its energies.
  public func perturbed(seed: UInt64, draw: Int, energy: EnergyFit? = nil) -> HardwareDescription {
    let perturbation = Perturbation(seed: seed, draw: draw)
    var copy = self
    let paths: [WritableKeyPath<HardwareDescription, Double>] = [
      \.energy.idleWatts, \.energy.perBytePicojoules, \.energy.perFlopPicojoules,
      \.energy.busyWatts,
    ]
    for (name, path) in zip(Self.energyPaths, paths) {
      let spread =
        switch provenance[name]?.quality {
        case .measured: energy?.spread ?? Spread.measured
        case .estimate: Spread.estimatedEnergy
        case let quality: Spread.of(quality)
        }
      copy[keyPath: path] *= perturbation.factor(name, spread: spread)
    }
    for (name, path, bounds) in Self.powerPaths {
      let quality = provenance[name]?.quality
      let spread = quality == .user || quality == .measured ? 0 : Spread.power
      let drawn = copy[keyPath: path] * perturbation.factor(name, spread: spread)
      copy[keyPath: path] = min(max(drawn, bounds.lowerBound), bounds.upperBound)
    }
    // A board that idles at its limit could run no kernel.
    copy.energy.idleWatts = min(copy.energy.idleWatts, max(self.energy.idleWatts, 0.9 * powerLimitWatts))
    return copy
  }

  /// What is known of the power limit's doings, and what it may be.
  private static var powerPaths: [(String, WritableKeyPath<HardwareDescription, Double>, ClosedRange<Double>)]
  {
    [
      ("power.window_ms", \.power.windowMilliseconds, 1...10_000),
      ("power.clock_exponent", \.power.clockExponent, 1...4),
      ("energy.narrow_flop_share", \.energy.narrowFlopShare, 0...1),
      ("energy.mxfp4_pj", \.energy.mxfp4Picojoules, 0...1e9),
    ]
  }
}
