import Support

/// A member of an object whose names are not known beforehand.
struct MemberName: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Decoder {
  /// An object; a member of an unknown name, which is mostly a misspelt one, is an error.
  func object<Key: CodingKey & CaseIterable>(of keys: Key.Type) throws -> KeyedDecodingContainer<Key> {
    let known = Key.allCases.map(\.stringValue)
    let names = try container(keyedBy: MemberName.self).allKeys.map(\.stringValue)
    for name in names.sorted() where !known.contains(name) {
      let advice = nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: codingPath + [MemberName(name)],
          debugDescription: "unknown member; "
            + (advice ?? "expected some of \(known.joined(separator: ", "))")))
    }
    return try container(keyedBy: keys)
  }
}

extension KeyedDecodingContainer {
  /// Reads a member, if it is there.
  func read<Value: Decodable>(_ key: Key, into value: inout Value) throws {
    if let found = try decodeIfPresent(Value.self, forKey: key) { value = found }
  }
}
