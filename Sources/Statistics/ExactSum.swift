/// A sum of numbers that are not negative, the same to the last bit in whatever order they come.
///
/// Numbers are added in fixed point: those below 2 in units of 2^-62, others in units of 2^-50. Each is rounded once, by less
/// than a unit. There is room for a total of 2^76.
struct ExactSum: Sendable {
  private static let largest = 0x1p75

  private var fine: Int128 = 0
  private var coarse: Int128 = 0

  /// Adds a number; one above 2^75 counts as that.
  @inline(__always)
  mutating func add(_ value: Double) {
    if value < 2 { fine &+= Int128(Int64(value * 0x1p62)) } else { addLarge(value) }
  }

  /// Adds all of a sum several times.
  @inline(__always)
  mutating func add(_ other: ExactSum, times: Int) {
    fine &+= other.fine &* Int128(times)
    coarse &+= other.coarse &* Int128(times)
  }

  /// Adds a number several times.
  mutating func add(_ value: Double, times: Int) {
    var one = ExactSum()
    one.add(value)
    add(one, times: times)
  }

  @inline(never)
  private mutating func addLarge(_ value: Double) {
    coarse &+= Int128((value < Self.largest ? value : Self.largest) * 0x1p50)
  }

  /// The sum.
  var value: Double { Double(fine) * 0x1p-62 + Double(coarse) * 0x1p-50 }
}
