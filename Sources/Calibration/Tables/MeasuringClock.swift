/// The clock that imported tables were measured with.
enum MeasuringClock {
  /// The steps in which it counts, in seconds; nil where none are seen.
  ///
  /// On Blackwell times of SGLang's attention lie on steps of 2.048 us, and of other engines' more often than chance has it:
  /// `MeasuringClockTests` counts them. The tables do not say so.
  static func step(of gpu: String) -> Double? {
    blackwell.contains(gpu) ? 2.048e-6 : nil
  }

  private static let blackwell: Set = ["b200-sxm", "b300-sxm", "gb200", "gb300", "rtx-pro-6000"]
}
