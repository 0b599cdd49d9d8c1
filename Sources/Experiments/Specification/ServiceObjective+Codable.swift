import Serving

/// In seconds: `{"ttft_s": 10, "tbt_s": 0.125}`.
extension ServiceObjective: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case timeToFirstToken = "ttft_s"
    case timeBetweenTokens = "tbt_s"
    case timePerOutputToken = "tpot_s"
    case endToEnd = "e2el_s"
  }

  /// Reads an object.
  public init(from decoder: any Decoder) throws {
    self.init()
    let object = try decoder.object(of: CodingKeys.self)
    timeToFirstToken = try object.decodeIfPresent(Double.self, forKey: .timeToFirstToken)
    timeBetweenTokens = try object.decodeIfPresent(Double.self, forKey: .timeBetweenTokens)
    timePerOutputToken = try object.decodeIfPresent(Double.self, forKey: .timePerOutputToken)
    endToEnd = try object.decodeIfPresent(Double.self, forKey: .endToEnd)
  }

  /// Writes an object of the limits that there are.
  public func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: CodingKeys.self)
    try object.encodeIfPresent(timeToFirstToken, forKey: .timeToFirstToken)
    try object.encodeIfPresent(timeBetweenTokens, forKey: .timeBetweenTokens)
    try object.encodeIfPresent(timePerOutputToken, forKey: .timePerOutputToken)
    try object.encodeIfPresent(endToEnd, forKey: .endToEnd)
  }
}
