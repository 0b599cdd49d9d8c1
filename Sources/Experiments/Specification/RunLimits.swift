import Serving

/// Where a run ends early, and how many clients it has.
public struct RunLimits: Sendable, Hashable {
  /// Most requests in the system, `nil` for no limit; further ones are sent as earlier ones complete.
  public var maxConcurrency: Int?
  /// Simulated seconds after which the run is cut; `nil` for no limit.
  public var maxDuration: Seconds?

  /// Creates limits.
  public init(maxConcurrency: Int? = nil, maxDuration: Seconds? = nil) {
    self.maxConcurrency = maxConcurrency
    self.maxDuration = maxDuration
  }

  /// Checks each value by itself.
  func checkValues() throws(ExperimentError) {
    if let limit = maxDuration, !(limit > 0) {
      throw .invalidValue(option: "--max-duration", value: "\(limit)", expected: "more than 0 seconds")
    }
    if let limit = maxConcurrency, limit < 1 {
      throw .invalidValue(option: "--max-concurrency", value: "\(limit)", expected: "at least 1")
    }
  }
}

extension RunLimits: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case maxConcurrency = "max_concurrency"
    case maxDuration = "max_duration"
  }

  /// Reads an object.
  public init(from decoder: any Decoder) throws {
    let object = try decoder.object(of: CodingKeys.self)
    maxConcurrency = try object.decodeIfPresent(Int.self, forKey: .maxConcurrency)
    maxDuration = try object.decodeIfPresent(Double.self, forKey: .maxDuration)
  }
}
