import Serving

/// How KV entries get from the pool that computes prompts to the one that decodes.
public struct TransferSpecification: Sendable, Hashable, Codable {
  /// What is sent when: `whole`, `chunk` or `group`.
  public var mode: String
  /// The network's name in `links.csv` of the profiles.
  public var link: String
  /// Bytes a second each way of an instance, instead of the network's own.
  public var bytesPerSecond: Double?
  /// Latency in seconds, instead of the network's own.
  public var latency: Double?
  /// How transfers share the network: `fair` or `fifo`.
  public var sharing: String
  /// Which pool gives the first token to the client: `prefill`, or `decode` as a sequence begins to decode there; `nil` for
  /// `prefill`.
  public var firstToken: String?
  /// Which instance decodes a prompt: that with the `fewest` to decode, or all `in-turn`; `nil` for `fewest`.
  public var choice: String?

  /// Creates a specification.
  public init(
    mode: String = "whole", link: String = "ndr400", bytesPerSecond: Double? = nil, latency: Double? = nil,
    sharing: String = "fair", firstToken: String? = nil, choice: String? = nil
  ) {
    self.mode = mode
    self.link = link
    self.bytesPerSecond = bytesPerSecond
    self.latency = latency
    self.sharing = sharing
    self.firstToken = firstToken
    self.choice = choice
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case mode, link, sharing
    case bytesPerSecond = "bytes_per_s"
    case latency = "latency_s"
    case firstToken = "first_token"
    case choice = "decode_router"
  }

  /// Reads an object; members that it lacks keep their defaults.
  public init(from decoder: any Decoder) throws {
    self.init()
    let object = try decoder.object(of: CodingKeys.self)
    try object.read(.mode, into: &mode)
    try object.read(.link, into: &link)
    bytesPerSecond = try object.decodeIfPresent(Double.self, forKey: .bytesPerSecond)
    latency = try object.decodeIfPresent(Double.self, forKey: .latency)
    try object.read(.sharing, into: &sharing)
    firstToken = try object.decodeIfPresent(String.self, forKey: .firstToken)
    choice = try object.decodeIfPresent(String.self, forKey: .choice)
  }
}
