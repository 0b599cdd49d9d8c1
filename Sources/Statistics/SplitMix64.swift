/// A small seedable generator: the same seed gives the same numbers on every machine.
///
/// The standard library's generator cannot be seeded. Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", OOPSLA 2014, doi:10.1145/2660193.2660195.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Creates a generator; any seed is as good as any other.
  public init(seed: UInt64) { state = seed }

  /// Creates the stream of one purpose ("arrivals", "lengths", "routing") of a run's seed.
  ///
  /// Streams of different purposes are independent, so that drawing more from one leaves the others as they
  /// were: every policy sees the same traffic.
  public init(seed: UInt64, purpose: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    var mixer = SplitMix64(seed: seed ^ hash)
    state = mixer.next()
  }

  /// Creates the stream of one place within a purpose: what is drawn there does not depend on what was drawn before.
  public init(seed: UInt64, purpose: String, place: UInt64, _ subplace: UInt64) {
    self.init(seed: seed, purpose: purpose)
    state ^= place &* 0xd134_2543_de82_ef95
    state = next() ^ subplace
    state = next()
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z &>> 31)
  }

  /// A number in 0..<1, a multiple of 2⁻⁵³.
  ///
  /// `Double.random(in:using:)` is not promised to stay the same between Swift versions; this is.
  public mutating func uniform() -> Double { Double(next() &>> 11) * 0x1p-53 }

  /// A whole number in 0..<count, each as likely as the others up to count / 2⁶⁴.
  ///
  /// - Parameter count: At least 1.
  /// - Returns: The number.
  public mutating func index(below count: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }
}
