/// The revision of the figures: raised whenever the same run gives other figures than before.
///
/// It is part of each run's ``LoadedExperiment/configurationHash``, so that a stored run is never taken for one of another
/// revision. Golden runs in the tests are recorded with it.
package enum Revision {
  /// The version that every run records.
  package static let program = "0.1.0"

  /// The revision of this program.
  ///
  /// 1. The first figures that are kept apart by revision.
  /// 2. Seeded draws of experts (`--draw-routing`) are named by instance, step and layer instead of taken from a stream, so
  ///    that asking for a price changes nothing. Other figures are as before.
  package static let results = 2
}
