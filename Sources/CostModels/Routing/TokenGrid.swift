/// The token counts that routing tables have rows for: 0, then 32 evenly spaced in each octave.
///
/// Every whole number up to 64 is on the grid, and a position on it takes a few integer instructions, no
/// logarithm. Linear interpolation in e^(−aT) is then off by at most u² e^(−u) / (8 · 32²) < 7e-5 of the range.
enum TokenGrid {
  /// Rows in an octave.
  static let steps = 32
  /// The largest token count; beyond it tables stay at their last row.
  static let largest = 1 << octaves
  /// Octaves from 1 to ``largest``.
  static let octaves = 17
  /// Rows in all.
  static let rows = 2 + octaves * steps

  /// The row at or below a token count, and how far the count is on the way to the next row, 0..<1.
  static func position(_ tokens: Int) -> (row: Int, fraction: Float) {
    guard tokens > 0 else { return (0, 0) }
    guard tokens < largest else { return (rows - 2, 1) }
    let octave = Int.bitWidth - 1 - tokens.leadingZeroBitCount
    let scaled = tokens &* steps
    let row = 1 &+ octave &* steps &+ (scaled &>> octave) &- steps
    let rest = scaled & ((1 &<< octave) &- 1)
    return (row, Float(rest) / Float(1 &<< octave))
  }

  /// The token count of a row.
  static func tokens(row: Int) -> Double {
    guard row > 0 else { return 0 }
    let (octave, step) = (row - 1).quotientAndRemainder(dividingBy: steps)
    return Double(1 << octave) * (1 + Double(step) / Double(steps))
  }
}
