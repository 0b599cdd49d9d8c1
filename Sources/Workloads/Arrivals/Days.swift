import Glibc
import Serving

/// A rate that follows days and weeks: least at midnight, when a run begins on a Monday, most at noon, less at weekends.
///
/// The rate at time t is r w(t) (1 - a cos(2 pi t / d)) / ((5 + 2 w) / 7) with the swing a, the day's length d, and w(t) = w on days
/// 6 and 7 of each week and 1 on others, so that r is its mean over whole weeks.
public struct Days: Sendable, Hashable {
  /// How far it swings around the day's mean, `--daily-swing`: 0 not at all, 1 down to nothing at midnight.
  public var swing = 0.6
  /// What a day of a weekend has of a working day's requests, `--weekend-share`.
  public var weekend = 1.0
  /// Seconds of a day, `--day-length`; a short one plays a day in minutes.
  public var length: Seconds = 86_400

  /// Creates days that swing by 60 % and know no weekend.
  public init() {}

  /// The rate at a time over its mean.
  public func factor(at time: Seconds) -> Double {
    let day = (time / length).rounded(.down)
    let share = day - 7 * (day / 7).rounded(.down) >= 5 ? weekend : 1
    return share * (1 - swing * cos(2 * .pi * (time / length - day))) / scale
  }

  /// The most that ``factor(at:)`` comes to.
  public var peak: Double { max(1, weekend) * (1 + swing) / scale }

  private var scale: Double { (5 + 2 * weekend) / 7 }
}
