import Systems

/// How tokens choose their experts.
public enum RoutingModel: Sendable, Hashable, CustomStringConvertible {
  /// Some experts are popular with all requests, and each request has favourites of its own.
  ///
  /// Expert e has for request r the weight w = exp(groupSigma · z_e + requestSigma · z_er), with z standard
  /// normal; a token of the request uses it with probability 1 − exp(−λ w), and λ makes the expected number of
  /// experts per token the model's k.
  case correlated(groupSigma: Double, requestSigma: Double)
  /// Every token chooses k of the experts evenly and on its own.
  case uniform
  /// Tokens choose on their own, each layer's experts in proportion to the counts in a file.
  ///
  /// The file is CSV with the header `layer,expert,count` and a row for each expert of each layer, both counted
  /// from 0; lines that begin with `#` are comments.
  case measured(file: String)
  /// The distinct experts of a layer are known for some numbers of tokens, and linear between them.
  ///
  /// Without tokens there are none; beyond the last point there are as many as at it.
  case coverage([CoveragePoint])

  /// The parameters that fit the published coverage of Qwen3-30B-A3B; the best guess for other models.
  ///
  /// Least squares on the seven values that arXiv 2510.08055 gives as numbers: 32 and 128 decoding requests, and 512
  /// to 8,192 tokens of one prompt. The largest residual is 3.5 points, at 32 requests.
  public static let standard = RoutingModel.correlated(groupSigma: 1.634, requestSigma: 1.486)

  /// The parameters that fit the published loads of DeepSeek-R1's experts; its router, unlike Qwen3's, has been balanced by a
  /// bias of each expert.
  ///
  /// TensorRT-LLM's guide to balancing (github.com/NVIDIA/TensorRT-LLM, `examples/wide_ep/ep_load_balancer/README.md`) counts
  /// tokens of 32 ranks with eight experts each, in the mean of all layers: a standard deviation of 0.48 of the mean, and 1.56
  /// of it more on the busiest rank than in the mean. One number cannot give both: this one makes the deviation 7 % too large, and the
  /// busiest rank's excess 8 % too small. How much a request has favourites of its own is Qwen3's: nothing is published.
  public static let deepSeekV3 = RoutingModel.correlated(groupSigma: 1.425, requestSigma: 1.486)

  /// The law of the models whose routing is known from publications, and ``standard`` of all others.
  public static func published(for model: ModelDescription) -> RoutingModel {
    model.hasDeepSeekV3Experts ? deepSeekV3 : standard
  }

  /// The law of layers that draft for a model.
  ///
  /// Counts are those of the model's own layers, and coverage that of as many experts.
  ///
  /// - Parameters:
  ///   - draft: the layers that draft.
  ///   - target: the model that they draft for.
  ///   - law: of the model; nil for what is published.
  /// - Returns: the law of the model if it holds for the drafts, else what is published of them.
  static func ofDrafts(
    _ draft: ModelDescription, for target: ModelDescription, law: RoutingModel?
  ) -> RoutingModel {
    guard let law else { return published(for: draft) }
    let holds =
      switch law {
      case .correlated, .uniform: true
      case .coverage: draft.experts == target.experts && draft.topK == target.topK
      case .measured: false
      }
    return holds ? law : published(for: draft)
  }

  /// The form that ``init(parsing:)`` reads.
  public var description: String {
    switch self {
    case .correlated(let group, let request): "correlated[group_sigma=\(group),request_sigma=\(request)]"
    case .uniform: "uniform"
    case .measured(let file): "measured[file=\(file)]"
    case .coverage(let points):
      "coverage[\(points.map { "\($0.tokens)=\($0.experts)" }.joined(separator: ","))]"
    }
  }

  /// Reads `uniform`, `correlated`, `correlated[group_sigma=1.6,request_sigma=1.5]`, `measured[file=counts.csv]` or
  /// `coverage[32=70.5,512=105]`.
  ///
  /// - Parameters:
  ///   - text: the law.
  ///   - usual: has the sigmas that a correlated law does not name.
  /// - Throws: ``DescriptionError/invalidSetting(path:value:expected:)``.
  public init(parsing text: String, usual: RoutingModel = .standard) throws(DescriptionError) {
    let failure = DescriptionError.invalidSetting(
      path: "routing", value: text,
      expected: "uniform, correlated, correlated[group_sigma=1.6,request_sigma=1.5] with numbers in 0...4, "
        + "measured[file=counts.csv], or coverage[32=70.5,512=105] with experts by tokens, ascending")
    let name = text.prefix { $0 != "[" }
    var argument = text.dropFirst(name.count)
    if !argument.isEmpty {
      guard argument.last == "]" else { throw failure }
      argument = argument.dropFirst().dropLast()
    }
    switch name {
    case "uniform" where argument.isEmpty:
      self = .uniform
    case "measured" where argument.hasPrefix("file=") && argument.count > 5:
      self = .measured(file: String(argument.dropFirst(5)))
    case "coverage":
      var points: [CoveragePoint] = []
      for pair in argument.split(separator: ",", omittingEmptySubsequences: false) {
        let parts = pair.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let tokens = Int(parts[0]), let experts = Double(parts[1]),
          tokens > points.last?.tokens ?? 0, experts > 0, experts.isFinite
        else { throw failure }
        points.append(CoveragePoint(tokens: tokens, experts: experts))
      }
      self = .coverage(points)
    case "correlated":
      guard case .correlated(var group, var request) = usual else { throw failure }
      var named: Set<Substring> = []
      for pair in argument.split(separator: ",") {
        let parts = pair.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let sigma = Double(parts[1]), (0...4).contains(sigma),
          named.insert(parts[0]).inserted
        else { throw failure }
        switch parts[0] {
        case "group_sigma": group = sigma
        case "request_sigma": request = sigma
        default: throw failure
        }
      }
      self = .correlated(groupSigma: group, requestSigma: request)
    default:
      throw failure
    }
  }
}

extension ModelDescription {
  /// Whether the routed experts are those of DeepSeek-V3, or of R1, V3.1 and V3.2, which were trained on from it.
  var hasDeepSeekV3Experts: Bool {
    hidden == 7168 && experts == 256 && topK == 8 && expertGroups == ExpertGroups(count: 8, chosen: 4)
  }

  /// Whether the routed experts are those of Qwen3-30B-A3B.
  var hasQwen3Experts: Bool { hidden == 2048 && expertIntermediate == 768 && experts == 128 && topK == 8 }
}
