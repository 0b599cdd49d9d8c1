/// A level of KV memory below that of the GPUs, as `--kv-tiers` takes it: `host-pcie5:64`, or `eth100:4096:shared`.
public struct CacheTierSpecification: Sendable, Hashable, Codable {
  /// What its blocks are loaded over: a name in `links.csv` of the profiles.
  public var link: String
  /// Its size in GiB, of an instance or, if it is shared, of all.
  public var gibibytes: Double
  /// Whether all instances of a pool have it in common; `nil` for no.
  public var isShared: Bool?

  /// Creates a level.
  public init(link: String, gibibytes: Double, isShared: Bool? = nil) {
    self.link = link
    self.gibibytes = gibibytes
    self.isShared = isShared
  }

  /// Reads `link:GiB` or `link:GiB:shared`; nil if it is neither.
  public init?(parsing text: Substring) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
    guard (2...3).contains(parts.count), !parts[0].isEmpty, let size = Double(parts[1]) else { return nil }
    guard parts.count == 2 || parts[2] == "shared" else { return nil }
    self.init(link: parts[0], gibibytes: size, isShared: parts.count == 3 ? true : nil)
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case link
    case gibibytes = "gib"
    case isShared = "shared"
  }

  /// Reads an object.
  public init(from decoder: any Decoder) throws {
    let object = try decoder.object(of: CodingKeys.self)
    link = try object.decode(String.self, forKey: .link)
    gibibytes = try object.decode(Double.self, forKey: .gibibytes)
    isShared = try object.decodeIfPresent(Bool.self, forKey: .isShared)
  }
}
