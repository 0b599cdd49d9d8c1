import Systems

extension Calibration {
  /// The time of a byte of keys and values in decode attention, or of a key that a block walks over, where several rows of a
  /// sequence share the reading.
  ///
  /// The rows multiply what is computed: each has scores and values of its own. Kernels of grouped heads have arithmetic to
  /// spare. Latent attention has not, since all heads share one key: to its kernel `width` rows of `n` heads are
  /// `width * n` heads of one row. So the time is that of the heads that are as many, if it is longer. Beyond the
  /// most heads that were measured it grows in proportion: an estimate, as nobody measured rows that are verified. That the
  /// arithmetic follows the clock is left out, as it is for a single row.
  ///
  /// - Parameters:
  ///   - coefficient: which of the fit's, 1 for a byte and 7 for a key.
  ///   - fit: the fit of one row.
  ///   - width: rows of each sequence.
  /// - Returns: seconds, at least those of one row.
  /// - Complexity: O(s) for s measured shapes.
  func ofVerifiedRows(_ coefficient: Int, _ fit: Fit<DecodeAttention>, width: Int) -> Double {
    let own = fit.coefficients[coefficient]
    guard fit.shape.heads.isLatent, width > 1 else { return own }
    var wide = fit.shape
    wide.heads.heads *= width
    // Of fits that nothing has been drawn of: the draw of one row is that of all.
    let (one, all) = (DecodeAttention.find(fit.shape, in: self), DecodeAttention.find(wide, in: self))
    guard one.coefficients[coefficient] > 0 else { return own }
    let most = shapes(of: wide.kernel, wide.type).map { $0.dimensions[0] }.max() ?? wide.heads.heads
    let beyond = max(1, Double(wide.heads.heads) / Double(most))
    return own * max(1, all.coefficients[coefficient] / one.coefficients[coefficient] * beyond)
  }
}
