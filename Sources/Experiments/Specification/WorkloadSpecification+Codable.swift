import Workloads

/// By the names of options: `{"trace": "arxiv", "request_rate": 1.5}`; an infinite rate is the word `inf`.
extension WorkloadSpecification: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case trace, arrivals, burstiness, classes, shuffle, seed
    case requestRate = "request_rate"
    case rampUp = "ramp_up_strategy"
    case rampUpStart = "ramp_up_start_rps"
    case rampUpEnd = "ramp_up_end_rps"
    case burstRatio = "burst_ratio"
    case burstShare = "burst_share"
    case burstLength = "burst_length"
    case dailySwing = "daily_swing"
    case weekendShare = "weekend_share"
    case dayLength = "day_length"
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
    if let name = try object.decodeIfPresent(String.self, forKey: .rampUp) {
      guard let strategy = RampStrategy(rawValue: name) else {
        throw DecodingError.dataCorruptedError(
          forKey: .rampUp, in: object, debugDescription: "expected linear or exponential")
      }
      rampUp = strategy
    }
    rampUpStart = try object.decodeIfPresent(Double.self, forKey: .rampUpStart)
    rampUpEnd = try object.decodeIfPresent(Double.self, forKey: .rampUpEnd)
    setBursts(
      ratio: try object.decodeIfPresent(Double.self, forKey: .burstRatio),
      share: try object.decodeIfPresent(Double.self, forKey: .burstShare),
      length: try object.decodeIfPresent(Double.self, forKey: .burstLength))
    setDays(
      swing: try object.decodeIfPresent(Double.self, forKey: .dailySwing),
      weekend: try object.decodeIfPresent(Double.self, forKey: .weekendShare),
      length: try object.decodeIfPresent(Double.self, forKey: .dayLength))
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
    try object.read(.classes, into: &classes)
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
    try object.encodeIfPresent(rampUp?.rawValue, forKey: .rampUp)
    try object.encodeIfPresent(rampUpStart, forKey: .rampUpStart)
    try object.encodeIfPresent(rampUpEnd, forKey: .rampUpEnd)
    try object.encodeIfPresent(bursts?.ratio, forKey: .burstRatio)
    try object.encodeIfPresent(bursts?.share, forKey: .burstShare)
    try object.encodeIfPresent(bursts?.length, forKey: .burstLength)
    try object.encodeIfPresent(days?.swing, forKey: .dailySwing)
    try object.encodeIfPresent(days?.weekend, forKey: .weekendShare)
    try object.encodeIfPresent(days?.length, forKey: .dayLength)
    try object.encodeIfPresent(timeScale, forKey: .timeScale)
    try object.encodeIfPresent(numPrompts, forKey: .numPrompts)
    try object.encodeIfPresent(timeUnit?.rawValue, forKey: .timeUnit)
    try object.encodeIfPresent(traceStart, forKey: .traceStart)
    try object.encodeIfPresent(traceEnd, forKey: .traceEnd)
    try object.encodeIfPresent(inputLength, forKey: .inputLength)
    try object.encodeIfPresent(outputLength, forKey: .outputLength)
    try object.encodeIfPresent(rangeRatio, forKey: .rangeRatio)
    try object.encodeIfPresent(imageTokens, forKey: .imageTokens)
    if !classes.isEmpty { try object.encode(classes, forKey: .classes) }
    try object.encode(shuffle, forKey: .shuffle)
    try object.encode(seed, forKey: .seed)
  }
}
