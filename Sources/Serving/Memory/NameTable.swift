/// A table from names to places, with open addressing.
struct NameTable: Sendable {
  private var names: [UInt64]
  private var places: [Int32]
  private var mask: Int
  private(set) var count = 0

  init() {
    names = Array(repeating: 0, count: 64)
    places = Array(repeating: -1, count: 64)
    mask = 63
  }

  @inline(__always)
  private func home(of name: UInt64) -> Int {
    Int(truncatingIfNeeded: (name &* 0x9e37_79b9_7f4a_7c15) >> 24) & mask
  }

  /// The place of a name; -1 for none.
  @inline(__always)
  subscript(name: UInt64) -> Int32 {
    var i = home(of: name)
    while places[i] >= 0 {
      if names[i] == name { return places[i] }
      i = (i + 1) & mask
    }
    return -1
  }

  /// Sets the place of a name.
  mutating func set(_ name: UInt64, to place: Int32) {
    if 2 * (count + 1) > mask { grow() }
    var i = home(of: name)
    while places[i] >= 0, names[i] != name { i = (i + 1) & mask }
    if places[i] < 0 { count += 1 }
    names[i] = name
    places[i] = place
  }

  /// Forgets a name, which must be there.
  mutating func remove(_ name: UInt64) {
    var hole = home(of: name)
    while names[hole] != name || places[hole] < 0 { hole = (hole + 1) & mask }
    count -= 1
    var i = hole
    while true {
      i = (i + 1) & mask
      guard places[i] >= 0 else { break }
      // A name moves into the hole unless its home lies between the hole and its place.
      let distance = (i - home(of: names[i])) & mask
      guard distance >= (i - hole) & mask else { continue }
      names[hole] = names[i]
      places[hole] = places[i]
      hole = i
    }
    places[hole] = -1
  }

  private mutating func grow() {
    let (oldNames, oldPlaces) = (names, places)
    mask = 2 * mask + 1
    names = Array(repeating: 0, count: mask + 1)
    places = Array(repeating: -1, count: mask + 1)
    count = 0
    for i in oldPlaces.indices where oldPlaces[i] >= 0 { set(oldNames[i], to: oldPlaces[i]) }
  }
}
