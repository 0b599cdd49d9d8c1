import Systems

extension Experts {
  /// The sizes whose rows in the tables are of experts without gates: hidden width, experts, and those of a token.
  ///
  /// Nemotron-3-Nano's and -Super's, as their configurations have it (`mlp_hidden_act` relu2).
  private static let measuredWithoutGates: Set<[Int]> = [[2688, 128, 6], [1024, 512, 22]]

  /// Whether rows of such sizes in the tables are of experts without gates.
  package static func isMeasuredWithoutGates(hidden: Int, experts: Int, topK: Int) -> Bool {
    measuredWithoutGates.contains([hidden, experts, topK])
  }

  /// The fit of the exact shape.
  ///
  /// Fits count three matrices whatever was measured; of two, a byte and an operation take one and a
  /// half times as long.
  private static func measured(_ shape: Shape, in calibration: Calibration) -> Fit<Experts>? {
    guard let exact = calibration.exact(shape), !shape.isGated else { return calibration.exact(shape) }
    var factors = SIMD8<Double>(repeating: 1.5)
    factors[0] = 1
    return exact.replacing(exact.coefficients * factors)
  }

  /// The fit of the exact shape, else of all shapes in the physical terms that they share, else of the data sheet.
  ///
  /// Of several ranks with what they take beyond the busiest one's part.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<Experts> {
    let one = ofOneRank(shape, in: calibration)
    return shape.ranks > 1 ? overRanks(one, in: calibration) : one
  }

  private static func ofOneRank(_ shape: Shape, in calibration: Calibration) -> Fit<Experts> {
    let isAlike =
      shape.isGated
      == !isMeasuredWithoutGates(hidden: shape.hidden, experts: shape.experts, topK: shape.topK)
    if isAlike, let exact = measured(shape, in: calibration) { return exact }
    if let any = calibration.shapes(of: allShapes, shape.type).first {
      return calibration.fit(shape, any, .allShapes, any.heldOut)
    }
    let launch =
      calibration.shapes(of: allShapes, WeightFormat.bf16.rawValue).first?.values.first
      ?? calibration.launch(ofExperts: true)
    let figures = calibration.figures
    return calibration.fit(
      shape,
      SIMD8(
        launch, figures.secondsPerByte, figures.secondsPerFLOP(shape.format), 0, 0, 0, figures.secondsPerByte,
        0),
      .dataSheet)
  }

  /// A layer that several ranks share out, from the fit of one rank with all experts.
  ///
  /// It is measured where this very layer was over as many ranks at least, and a law of all shapes where others of its
  /// format were. Else it is an estimate, and several ranks take nothing beyond the busiest one's part. Which part that is
  /// follows from the routing, as the distinct experts of one rank do; `sim calibrate` prints how far off both together are on
  /// rows that no fit has seen.
  private static func overRanks(_ one: Fit<Experts>, in calibration: Calibration) -> Fit<Experts> {
    let shape = one.shape
    let exact = calibration.shapes(of: overRanks, shape.type).first { $0.dimensions == shape.dimensions }
    let isMeasured =
      one.quality == .measured && exact.map { $0.range(1).contains(Double(shape.ranks)) } == true
    guard one.quality != .dataSheet, !shape.passesOverOwnChoices,
      let further = exact ?? calibration.shapes(of: overRanksAllShapes, shape.type).first
    else { return calibration.fit(shape, one.coefficients, .estimate) }
    var coefficients = one.coefficients
    coefficients[0] += further.values[0]
    coefficients[Experts.indexOfAllChoiceBytes] = further.values[1]
    guard isMeasured else {
      let errors = [one.heldOut, further.heldOut].compactMap { $0 }.max { $0.median < $1.median }
      return calibration.fit(shape, coefficients, .allShapes, errors)
    }
    return Fit(
      shape, coefficients: coefficients, quality: .measured, measured: MeasuredRanges([further.range(0)]),
      heldOut: further.heldOut, device: calibration.figures)
  }
}
