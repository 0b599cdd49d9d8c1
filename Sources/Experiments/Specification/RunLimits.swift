import Serving

/// Where a run ends early, and how many clients it has.
public struct RunLimits: Sendable, Hashable {
  /// Most requests in the system, `nil` for no limit; further ones are sent as earlier ones complete.
  public var maxConcurrency: Int?
  /// Simulated seconds after which the run is cut; `nil` for no limit.
  public var maxDuration: Seconds?

  /// Simulated seconds from which on the run is measured; `nil` for all of it.
  public var measureFrom: Seconds?
  /// Simulated seconds up to which it is measured; `nil` for the rest.
  public var measureUntil: Seconds?

  /// Creates limits.
  public init(maxConcurrency: Int? = nil, maxDuration: Seconds? = nil) {
    self.maxConcurrency = maxConcurrency
    self.maxDuration = maxDuration
  }

  /// The part of the run that counts; `nil` for all of it.
  public var window: MeasuredWindow? {
    guard measureFrom != nil || measureUntil != nil else { return nil }
    return MeasuredWindow(from: measureFrom ?? 0, until: measureUntil ?? .infinity)
  }

  /// Checks each value by itself.
  func checkValues() throws(ExperimentError) {
    if let limit = maxDuration, !(limit > 0) {
      throw .invalidValue(option: "--max-duration", value: "\(limit)", expected: "more than 0 seconds")
    }
    if let limit = maxConcurrency, limit < 1 {
      throw .invalidValue(option: "--max-concurrency", value: "\(limit)", expected: "at least 1")
    }
    if let from = measureFrom, !(0...1e12).contains(from) {
      throw .invalidValue(option: "--measure-from", value: "\(from)", expected: "0 to 1e12 seconds")
    }
    if let until = measureUntil, !(until > measureFrom ?? 0 && until <= 1e12) {
      throw .invalidValue(
        option: "--measure-until", value: "\(until)",
        expected: "more than --measure-from, at most 1e12 seconds")
    }
  }
}

extension RunLimits: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case maxConcurrency = "max_concurrency"
    case maxDuration = "max_duration"
    case measureFrom = "measure_from"
    case measureUntil = "measure_until"
  }

  /// Reads an object.
  public init(from decoder: any Decoder) throws {
    let object = try decoder.object(of: CodingKeys.self)
    maxConcurrency = try object.decodeIfPresent(Int.self, forKey: .maxConcurrency)
    maxDuration = try object.decodeIfPresent(Double.self, forKey: .maxDuration)
    measureFrom = try object.decodeIfPresent(Double.self, forKey: .measureFrom)
    measureUntil = try object.decodeIfPresent(Double.self, forKey: .measureUntil)
  }
}
