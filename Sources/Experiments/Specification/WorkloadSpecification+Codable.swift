import Workloads

/// By the names of options: `{"trace": "arxiv", "request_rate": 1.5}`; an infinite rate is the word `inf`.
extension WorkloadSpecification: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case trace, arrivals, burstiness, shuffle, seed
    case requestRate = "request_rate"
    case timeScale = "time_scale"
    case numPrompts = "num_prompts"
    case timeUnit = "time_unit"
    case traceStart = "trace_start"
    case traceEnd = "trace_end"
    case inputLength = "input_len"
    case outputLength = "output_len"
    case rangeRatio = "range_ratio"
    case imageTokens = "image_tokens"
  }

  /// Reads an object; members that it lacks keep their defaults.
  public init(from decoder: any Decoder) throws {
    let object = try decoder.object(of: CodingKeys.self)
    self.init(trace: try object.decodeIfPresent(String.self, forKey: .trace) ?? "arxiv")
    if let name = try object.decodeIfPresent(String.self, forKey: .arrivals) {
      guard let kind = ArrivalKind(rawValue: name) else {
        throw DecodingError.dataCorruptedError(
          forKey: .arrivals, in: object,
          debugDescription: "expected one of "
            + ArrivalKind.allCases.map(\.rawValue).joined(separator: ", "))
      }
      arrivals = kind
    }
    requestRate = try object.decodeIfPresent(Double.self, forKey: .requestRate)
    burstiness = try object.decodeIfPresent(Double.self, forKey: .burstiness)
    timeScale = try object.decodeIfPresent(Double.self, forKey: .timeScale)
    numPrompts = try object.decodeIfPresent(Int.self, forKey: .numPrompts)
    if let unit = try object.decodeIfPresent(String.self, forKey: .timeUnit) {
      guard let known = TimeUnit(rawValue: unit) else {
        throw DecodingError.dataCorruptedError(
          forKey: .timeUnit, in: object,
          debugDescription: "expected one of " + TimeUnit.allCases.map(\.rawValue).joined(separator: ", "))
      }
      timeUnit = known
    }
    traceStart = try object.decodeIfPresent(String.self, forKey: .traceStart)
    traceEnd = try object.decodeIfPresent(String.self, forKey: .traceEnd)
    inputLength = try object.decodeIfPresent(Int.self, forKey: .inputLength)
    outputLength = try object.decodeIfPresent(Int.self, forKey: .outputLength)
    rangeRatio = try object.decodeIfPresent(Double.self, forKey: .rangeRatio)
    imageTokens = try object.decodeIfPresent(Int.self, forKey: .imageTokens)
    try object.read(.shuffle, into: &shuffle)
    try object.read(.seed, into: &seed)
  }

  /// Writes an object of what was asked for.
  public func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: CodingKeys.self)
    try object.encode(trace, forKey: .trace)
    try object.encodeIfPresent(arrivals?.rawValue, forKey: .arrivals)
    try object.encodeIfPresent(requestRate, forKey: .requestRate)
    try object.encodeIfPresent(burstiness, forKey: .burstiness)
    try object.encodeIfPresent(timeScale, forKey: .timeScale)
    try object.encodeIfPresent(numPrompts, forKey: .numPrompts)
    try object.encodeIfPresent(timeUnit?.rawValue, forKey: .timeUnit)
    try object.encodeIfPresent(traceStart, forKey: .traceStart)
    try object.encodeIfPresent(traceEnd, forKey: .traceEnd)
    try object.encodeIfPresent(inputLength, forKey: .inputLength)
    try object.encodeIfPresent(outputLength, forKey: .outputLength)
    try object.encodeIfPresent(rangeRatio, forKey: .rangeRatio)
    try object.encodeIfPresent(imageTokens, forKey: .imageTokens)
    try object.encode(shuffle, forKey: .shuffle)
    try object.encode(seed, forKey: .seed)
  }
}
