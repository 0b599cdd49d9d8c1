/// A sum of numbers that are not negative, the same to the last bit in whatever order they come.
///
/// Numbers are added in fixed point: those below 2 in units of 2^-62, others in units of 2^-50. Each is rounded once, by a
/// unit at most. There is room for a total of 2^76.
struct ExactSum: Sendable {
  private static let largest = 0x1p75

  private var fine: Int128 = 0
  private var coarse: Int128 = 0

  /// Adds a number that occurs several times; one above 2^75 counts as that.
  @inline(__always)
  mutating func add(_ value: Double, times: Int) {
    if value < 2 {
      fine &+= Stretch.units(value) &* Int128(times)
    } else {
      addLarge(value, times: times)
    }
  }

  @inline(never)
  private mutating func addLarge(_ value: Double, times: Int) {
    coarse &+= Int128((value < Self.largest ? value : Self.largest) * 0x1p50) &* Int128(times)
  }

  /// Adds numbers that each occur several times.
  mutating func add(_ stretch: Stretch, times: Int) { fine &+= stretch.units &* Int128(times) }

  /// The sum.
  var value: Double { Double(fine) * 0x1p-62 + Double(coarse) * 0x1p-50 }

  /// The sum of up to 64 numbers below 2, in floating point and yet exact.
  ///
  /// A number is cut into whole units of 2^-44 and, of the rest, of 2^-62: adding and taking away a number whose last bit has
  /// that worth rounds to it. Sums of either have fewer than 53 bits, and round nothing.
  struct Stretch: Sendable {
    /// Most numbers.
    static let most = 64
    private static let rounderOfWhole = 0x1.8p8
    private static let rounderOfRest = 0x1.8p-10

    private var whole = 0.0
    private var rest = 0.0

    /// Adds a number from 0 to below 2.
    @inline(__always)
    mutating func add(_ value: Double) {
      let units = (value + Self.rounderOfWhole) - Self.rounderOfWhole
      whole += units
      rest += (value - units + Self.rounderOfRest) - Self.rounderOfRest
    }

    /// A number below 2 in units of 2^-62, as the sum of itself alone.
    @inline(__always)
    fileprivate static func units(_ value: Double) -> Int128 {
      var one = Stretch()
      one.add(value)
      // What was rounded has no more bits than the number had.
      return Int128(Int64((one.whole + one.rest) * 0x1p62))
    }

    /// The sum in units of 2^-62.
    fileprivate var units: Int128 { Int128(Int64(whole * 0x1p44)) << 18 &+ Int128(Int64(rest * 0x1p62)) }
  }
}
