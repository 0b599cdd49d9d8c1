import Glibc
import Serving
import Statistics
import Support
import Systems

/// How many distinct experts the tokens of a mixture-of-experts call are routed to.
///
/// Expert weights are read once for every expert that at least one token of the call uses, so this number decides
/// how much memory traffic a schedule causes. All results are sums over a range of layers, of one call in each;
/// none of the methods allocates, but for ``makeMisses()``.
public struct ExpertRouting: Sendable {
  /// The law that tokens choose by.
  public let model: RoutingModel
  /// Routed experts in each layer.
  public let experts: Int
  /// Experts that one token uses.
  public let topK: Int
  /// Layers of the model that have experts; all ranges of layers count these alone.
  public let layers: Int

  private let isOfQwen3: Bool
  private let isOfDeepSeekV3: Bool

  /// The law, ready for use.
  private enum Law: Sendable {
    case correlated(CorrelatedRouting)
    /// With the natural logarithm of 1 − k/E.
    case uniform(logMiss: Double)
    case measured(MeasuredRouting)
    case coverage([CoveragePoint])
  }
  private let law: Law

  /// Prepares a law for a model's experts.
  ///
  /// - Throws: ``DescriptionError`` where the model is dense, a parameter is out of bounds, or the file of a
  ///   measured routing is unreadable, malformed or made for a model of another shape.
  /// - Complexity: O(experts) for a correlated law, about 2 ms for 128 experts; O(1) for a uniform one;
  ///   O(layers · experts) for a measured one.
  public init(_ model: RoutingModel = .standard, for description: ModelDescription) throws(DescriptionError) {
    guard description.isMixtureOfExperts else {
      throw .mismatch("model '\(description.name)' has no experts to route to; expected a mixture of experts")
    }
    self.model = model
    experts = description.experts
    topK = description.topK
    layers = description.expertLayers
    isOfQwen3 = description.hasQwen3Experts
    isOfDeepSeekV3 = description.hasDeepSeekV3Experts
    switch model {
    case .correlated(let group, let request):
      guard (0...4).contains(group), (0...4).contains(request) else {
        throw .invalidSetting(path: "routing", value: "\(model)", expected: "sigmas in 0...4")
      }
      law = .correlated(
        CorrelatedRouting(experts: experts, topK: topK, groupSigma: group, requestSigma: request))
      // Of a lognormal distribution.
      skew = min(1, expm1(group * group + request * request).squareRoot())
    case .uniform:
      law = .uniform(logMiss: log1p(-Double(topK) / Double(experts)))
      skew = 0
    case .measured(let file):
      let counts = try MeasuredRouting.counts(file: file, layers: layers, experts: experts)
      law = .measured(MeasuredRouting(counts: counts, topK: topK))
      skew = min(1, counts.map(Self.variation(of:)).reduce(0, +) / Double(counts.count))
    case .coverage(let points):
      let (least, most) = (Double(description.topK), Double(description.experts))
      guard !points.isEmpty, points[0].tokens > 0,
        points.allSatisfy({ (least...most).contains($0.experts) }),
        zip(points, points.dropFirst()).allSatisfy({ $0.tokens < $1.tokens && $0.experts <= $1.experts })
      else {
        throw .invalidSetting(
          path: "routing", value: "\(model)",
          expected:
            "ascending tokens, and experts of \(topK) to \(experts), which more tokens do not make fewer")
      }
      law = .coverage(points)
      skew = 1
    }
  }

  /// How good the law is for this model.
  public var provenance: Provenance {
    switch model {
    case .correlated where model == .standard && isOfQwen3:
      Provenance(quality: .fitted, source: "published expert coverage of Qwen3-30B-A3B, arXiv 2510.08055")
    case .correlated where model == .deepSeekV3 && isOfDeepSeekV3:
      Provenance(
        quality: .fitted,
        source: "loads of DeepSeek-R1's experts on 32 ranks, as TensorRT-LLM's guide to balancing prints them"
      )
    case .correlated where model == .standard:
      Provenance(
        quality: .estimate, source: "parameters fitted to Qwen3-30B-A3B; nothing is published for this model")
    case .correlated: Provenance(quality: .user, source: "parameters given by the user")
    case .uniform: Provenance(quality: .assumption, source: "idealisation; real routers are far from it")
    case .measured(let file): Provenance(quality: .measured, source: file)
    case .coverage: Provenance(quality: .user, source: "coverage given by the user")
    }
  }

  /// How unevenly the experts that a call touches are loaded, beyond chance: 0 if none is more popular, 1 if as by the power laws
  /// of the measured tables.
  ///
  /// It is the coefficient of variation of the experts' popularity, the mean over layers; where that is 1, as of exponential
  /// loads, and beyond, all are alike.
  public let skew: Double

  /// How loads are spread over the experts: a list for each layer that differs; nil where the law says nothing of it.
  var loadsByLayer: [[Double]]? {
    switch law {
    case .correlated(let tables): [tables.loads]
    case .uniform: [Array(repeating: 1, count: experts)]
    case .measured(let tables): tables.counts
    case .coverage: nil
    }
  }

  /// Whether loads are those of experts by their numbers.
  var placesAreKnown: Bool {
    if case .measured = law { true } else { false }
  }

  /// Whether a call touches as many experts in one layer as in any other.
  public var isUniformOverLayers: Bool {
    if case .measured = model { false } else { true }
  }

  /// The expected distinct experts of decoding requests, a token from each.
  public func distinct(layers range: Range<Int>, decodes: Int) -> Double {
    count(layers: range, decodes: decodes).mean
  }

  /// The expected distinct experts of decoding requests, a token from each, and prefill segments, the tokens of
  /// one request each, in one call per layer.
  ///
  /// - Complexity: O(experts · segments).
  public func distinct(layers range: Range<Int>, decodes: Int, prefill: Span<Int32>) -> Double {
    guard case .correlated(let tables) = law else {
      return count(layers: range, tokens: decodes + Self.total(prefill)).mean
    }
    return tables.mean(decodes: decodes, prefill: prefill) * calls(range)
  }

  /// The expected distinct experts of decoding requests, a token from each, and a prefill, in one call per layer.
  ///
  /// - Complexity: O(experts).
  public func distinct(layers range: Range<Int>, decodes: Int, misses: borrowing ExpertMisses) -> Double {
    guard case .correlated(let tables) = law else {
      return count(layers: range, tokens: decodes + misses.tokens).mean
    }
    return tables.mean(decodes: decodes, misses: misses) * calls(range)
  }

  /// Expectation and variance of the distinct experts of decoding requests.
  public func count(layers range: Range<Int>, decodes: Int) -> ExpertCount {
    guard case .correlated(let tables) = law else { return count(layers: range, tokens: decodes) }
    return tables.count(decodes: decodes) * calls(range)
  }

  /// Expectation and variance of the distinct experts of decoding requests and prefill segments.
  ///
  /// - Complexity: O(experts · segments).
  public func count(layers range: Range<Int>, decodes: Int, prefill: Span<Int32>) -> ExpertCount {
    guard case .correlated(let tables) = law else {
      return count(layers: range, tokens: decodes + Self.total(prefill))
    }
    return tables.count(decodes: decodes, prefill: prefill) * calls(range)
  }

  /// Expectation and variance of the distinct experts of decoding requests and a prefill.
  ///
  /// - Complexity: O(experts).
  public func count(layers range: Range<Int>, decodes: Int, misses: borrowing ExpertMisses) -> ExpertCount {
    guard case .correlated(let tables) = law else {
      return count(layers: range, tokens: decodes + misses.tokens)
    }
    return tables.count(decodes: decodes, misses: misses) * calls(range)
  }

  /// Room for the misses of a prefill, at first of one without tokens.
  public func makeMisses() -> ExpertMisses {
    guard case .correlated(let tables) = law else { return ExpertMisses(shares: []) }
    return tables.makeMisses()
  }

  /// Fills in the misses of a prefill, the tokens of one request in each segment.
  ///
  /// - Parameters:
  ///   - prefill: the tokens of each segment.
  ///   - misses: made by this routing's ``makeMisses()``.
  /// - Complexity: O(experts · segments).
  public func gather(_ prefill: Span<Int32>, into misses: inout ExpertMisses) {
    misses.tokens = Self.total(prefill)
    if case .correlated(let tables) = law { tables.gather(prefill, into: &misses) }
  }

  /// Draws the distinct experts of calls whose expectation and variance are known: a whole number.
  ///
  /// A sum of many independent indicators is close to normal; the draw is rounded, and kept between k and E for each
  /// call. Always takes one number from the generator.
  ///
  /// - Parameters:
  ///   - count: expectation and variance, summed over the calls.
  ///   - layers: the number of calls.
  ///   - generator: the routing stream of the run's seed.
  /// - Returns: the experts, summed over the calls.
  public func draw(_ count: ExpertCount, layers: Int, using generator: inout SplitMix64) -> Double {
    let deviate = NormalDistribution.quantile(generator.uniform() + 0x1p-54)
    let value = (count.mean + deviate * count.variance.squareRoot()).rounded()
    let least = min(count.mean, Double(topK * layers))
    return min(max(value, least.rounded()), Double(experts * layers))
  }

  /// The standard deviation over the mean.
  private static func variation(of loads: [Double]) -> Double {
    let mean = loads.reduce(0, +) / Double(loads.count)
    let squares = loads.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(loads.count)).squareRoot() / mean
  }

  private static func total(_ prefill: Span<Int32>) -> Int {
    var total = 0
    for segment in prefill.indices { total += Int(prefill[segment]) }
    return total
  }

  private func calls(_ range: Range<Int>) -> Double {
    Double(range.clamped(to: 0..<layers).count)
  }

  /// Laws without requests: only the number of tokens counts.
  private func count(layers range: Range<Int>, tokens: Int) -> ExpertCount {
    let range = range.clamped(to: 0..<layers)
    switch law {
    case .correlated(let tables):
      return tables.count(decodes: tokens) * Double(range.count)
    case .uniform(let logMiss):
      let miss = tokens > 0 ? exp(logMiss * Double(tokens)) : 1
      let calls = Double(range.count * experts)
      return ExpertCount(mean: calls * (1 - miss), variance: calls * miss * (1 - miss))
    case .measured(let tables):
      return tables.count(layers: range, tokens: tokens)
    case .coverage(let points):
      let mean = CoveragePoint.experts(at: tokens, on: points)
      return ExpertCount(mean: mean, variance: mean * (1 - mean / Double(experts))) * Double(range.count)
    }
  }
}
