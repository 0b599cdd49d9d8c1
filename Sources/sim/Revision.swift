/// The revision of the figures: raised whenever the same run comes to other figures than before.
///
/// It is part of each run's ``Experiment/configurationHash``, so that a stored run is never taken for one of another
/// revision. Golden runs in the tests are recorded with it.
enum Revision {
  /// The revision of this program.
  ///
  /// 1. The first figures that are kept apart by revision.
  static let results = 1
}
