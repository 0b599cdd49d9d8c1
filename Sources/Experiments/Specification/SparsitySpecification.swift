import Serving
import Systems

/// What prompts leave out, as `--prefill-sparsity` and `--token-pruning` describe it: a method and its parameters, with what
/// it keeps as data.
///
/// What a method would find in the text is not simulated, and neither is what it does to the answers.
public struct SparsitySpecification: Sendable {
  /// A method.
  public enum Method: String, Sendable, CaseIterable {
    /// Rows are dropped at some layers by what the last queries attend to (arXiv 2605.06221).
    case uniprefill
    /// Queries see few keys, which an indexer picks (arXiv 2606.07703).
    case sparseAttention = "sparse-attention"
    /// Stored chunks are used again anywhere, and a share of their tokens is computed anew (EuroSys 2025).
    case cacheblend
    /// Image tokens are dropped at three layers by what the text attends to (arXiv 2508.06084).
    case adaptinfer

    /// The option that takes it.
    var option: String { self == .adaptinfer ? "--token-pruning" : "--prefill-sparsity" }

    /// Its parameters.
    var parameters: [String] {
      switch self {
      case .uniprefill: ["layers", "p", "kept", "sync_us"]
      case .sparseAttention: ["k", "indexer", "block"]
      case .cacheblend: ["ratio", "suffix", "hits", "bandwidth"]
      case .adaptinfer: ["layers", "budget", "kept", "of", "sync_us"]
      }
    }
  }

  /// How long a host needs to read sizes back and to go on launching: an estimate, of a copy and a wait.
  static let usualSynchronisation = 20.0

  /// The method.
  public let method: Method
  private let parameters: [String: SettingValue]

  /// Reads what an option was given; `nil` for `none`.
  ///
  /// - Throws: if there is no such method, or it has no such parameter.
  public init?(_ text: PolicySpecification, option: String) throws(ExperimentError) {
    guard text.name != "none" || !text.parameters.isEmpty else { return nil }
    let known = Method.allCases.filter { $0.option == option }
    guard let method = known.first(where: { $0.rawValue == text.name }) else {
      let examples = known.map { $0 == .uniprefill ? "uniprefill[kept=0.8]" : $0.rawValue + "[...]" }
      throw .invalidValue(
        option: option, value: text.name, expected: "none or \(examples.joined(separator: " or "))")
    }
    self.method = method
    parameters = text.parameters
    for name in parameters.keys.sorted() where !method.parameters.contains(name) {
      throw bad(name, "\(parameters[name] ?? "")", "one of \(method.parameters.joined(separator: ", "))")
    }
  }

  func bad(_ parameter: String, _ value: String, _ expected: String) -> ExperimentError {
    .invalidValue(
      option: "\(method.option) \(method.rawValue): \(parameter)", value: value, expected: expected)
  }

  /// What it makes of a model's prompts; `nil` where it leaves out nothing.
  ///
  /// - Parameters:
  ///   - model: the model.
  ///   - longest: the longest sequence.
  /// - Returns: the profile.
  /// - Throws: if a parameter is missing, or the model cannot have the method.
  public func profile(
    for model: ModelDescription, longest: Tokens
  ) throws(ExperimentError) -> TokenProfile? {
    let profile: TokenProfile =
      switch method {
      case .uniprefill: try uniPrefill(model)
      case .sparseAttention: try sparseAttention(model, longest: longest)
      case .cacheblend: try cacheBlend(model)
      case .adaptinfer: try adaptInfer(model)
      }
    return profile.isPlain ? nil : profile
  }

  private func uniPrefill(_ model: ModelDescription) throws(ExperimentError) -> TokenProfile {
    let layers = try layers(model) { () throws(ExperimentError) in try Self.usualLayers(of: model, bad) }
    let p = try number("p", 0...1) ?? 0.99
    var kept: [KeptShare] = []
    if let text = parameters["kept"]?.description {
      kept = try shares(text, layers: layers.count)
    } else {
      guard p == 1 else {
        throw bad(
          "kept", "missing",
          "the share of rows that a drop keeps, as data: 0.8, one for each layer as 0.9/0.8, or by length as "
            + "8192:0.9/32768:0.7")
      }
    }
    guard p < 1 else { return TokenProfile() }
    return TokenProfile(
      drops: zip(layers, kept).map { TokenProfile.Drop(layer: $0, kept: .share($1)) },
      place: .behindAttention, scoring: .lastQueries(128), block: 64, first: 128, last: 128,
      synchronisation: try synchronisation)
  }

  private func sparseAttention(
    _ model: ModelDescription, longest: Tokens
  ) throws(ExperimentError) -> TokenProfile {
    guard model.latent == nil else {
      throw bad("model", model.name, "grouped heads: latent attention is not what the method was made for")
    }
    guard (0..<model.layers).contains(where: { model.seesEverything($0) }) else {
      throw bad("model", model.name, "a layer that sees everything")
    }
    let keys = try whole("k", "keys that a query sees")
    let width = try whole("indexer", "the width of the indexer's head")
    let block = try whole("block", "queries that share a choice of keys")
    guard keys < longest else { return TokenProfile() }
    return TokenProfile(keys: KeySelection(keys: keys, block: block, indexWidth: width))
  }

  private func cacheBlend(_ model: ModelDescription) throws(ExperimentError) -> TokenProfile {
    guard model.latent == nil, model.stateSpace == nil, model.windowedHeads == nil,
      !model.hasMixer.contains(false), model.layers > 1
    else {
      throw bad("model", model.name, "a model that keeps keys and values of its heads")
    }
    let ratio = try number("ratio", 0...1) ?? 0.15
    let suffix =
      try parameters["suffix"] == nil ? 32 : whole("suffix", "tokens of the question at a prompt's end")
    let hits = try number("hits", 0...1) ?? 1
    let bandwidth = try number("bandwidth", 1e-6...1e6)
    let bytes = 2 * model.formats.keyValues.bytes(rows: model.keyValueHeads, columns: model.headDim)
    return TokenProfile(
      drops: [
        TokenProfile.Drop(
          layer: 0,
          kept: .notReused(
            ChunkReuse(
              ratio: ratio, hits: hits, suffix: suffix,
              loading: bandwidth.map { Double(bytes) / ($0 * 1e9) } ?? 0)))
      ], place: .behindLayer, scoring: .values, block: 1)
  }

  private func adaptInfer(_ model: ModelDescription) throws(ExperimentError) -> TokenProfile {
    let layers = try layers(model) { () throws(ExperimentError) in
      guard model.layers == 32 else {
        throw bad("layers", "missing", "three layers, as 1/10/20 of 32")
      }
      return [1, 10, 20]
    }
    let of = parameters["of"] == nil ? 576 : try whole("of", "image tokens that kept is of")
    let kept: [Int]
    if let text = parameters["kept"]?.description {
      guard parameters["budget"] == nil else {
        throw bad("budget", "\(parameters["budget"] ?? "")", "either kept or a budget, not both")
      }
      let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
      kept = numbers.compactMap { $0 }
      guard kept.count == numbers.count, kept.count == layers.count,
        zip([of] + kept, kept).allSatisfy({ $0 >= $1 && $1 >= 0 })
      else {
        throw bad("kept", text, "\(layers.count) numbers of image tokens that do not grow, at most \(of)")
      }
    } else {
      let budget = try whole("budget", "128, 64, 48 or 32 image tokens, or kept=...")
      guard let published = Self.budgets[budget], layers.count == 3 else {
        throw bad("budget", "\(budget)", "128, 64, 48 or 32 with three layers, or kept=...")
      }
      kept = published
    }
    return TokenProfile(
      drops: zip(layers, kept).map { TokenProfile.Drop(layer: $0, kept: .images($1, of: of)) },
      place: .behindLayer, scoring: .probabilities, block: 1, synchronisation: try synchronisation)
  }

  /// What LLaVA-1.5-7B keeps of 576 image tokens for each nominal budget (arXiv 2508.06084).
  static let budgets = [128: [290, 72, 18], 64: [133, 27, 3], 48: [80, 24, 2], 32: [40, 12, 0]]

  /// The method's own choice: every fourth layer but the first and the last of them, if those see everything, as Llama-3.1-8B's
  /// 7 to 27 and Qwen3-Next's 7 to 43 are given.
  private static func usualLayers(
    of model: ModelDescription, _ bad: (String, String, String) -> ExperimentError
  ) throws(ExperimentError) -> [Int] {
    let layers = Array(stride(from: 7, to: model.layers - 4, by: 4))
    guard !layers.isEmpty, layers.count <= TokenProfile.mostDrops,
      layers.allSatisfy(model.seesEverything)
    else {
      throw bad(
        "layers", "missing",
        "up to \(TokenProfile.mostDrops) layers of \(model.name) that see everything, as 7/11 or 7:27:4")
    }
    return layers
  }
}

// How parameters are read.
extension SparsitySpecification {
  /// Layers as 7/11/15 or 7:27:4.
  private func layers(
    _ model: ModelDescription, usual: () throws(ExperimentError) -> [Int]
  ) throws(ExperimentError) -> [Int] {
    guard let text = parameters["layers"]?.description else { return try usual() }
    let isRange = text.contains(":")
    let numbers = text.split(separator: isRange ? ":" : "/", omittingEmptySubsequences: false).map { Int($0) }
    var layers = numbers.compactMap { $0 }
    if isRange, layers.count == 3, layers[2] > 0, layers[0] >= 0, layers[1] <= 1 << 16 {
      layers = Array(stride(from: layers[0], through: layers[1], by: layers[2]))
    } else if isRange {
      layers = []
    }
    guard !layers.isEmpty, numbers.allSatisfy({ $0 != nil }), layers.count <= TokenProfile.mostDrops,
      zip(layers, layers.dropFirst()).allSatisfy({ $0 < $1 }),
      layers.allSatisfy({ 0..<model.layers - 1 ~= $0 })
    else {
      throw bad(
        "layers", text,
        "up to \(TokenProfile.mostDrops) layers from 0 to \(model.layers - 2) that go up, as 7/11 or 7:27:4")
    }
    guard let wrong = layers.first(where: { !model.seesEverything($0) }) else { return layers }
    throw bad("layers", "\(wrong)", "layers of \(model.name) whose attention sees everything")
  }

  /// Shares as 0.8, one for each layer as 0.9/0.8, or by length as 8192:0.9/32768:0.7.
  private func shares(_ text: String, layers: Int) throws(ExperimentError) -> [KeptShare] {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if text.contains(":") {
      let points = parts.compactMap { part -> KeptShare.Point? in
        let sides = part.split(separator: ":", omittingEmptySubsequences: false)
        guard sides.count == 2, let tokens = Int(sides[0]), let share = Double(sides[1]) else { return nil }
        return KeptShare.Point(tokens: tokens, share: share)
      }
      guard points.count == parts.count, KeptShare.areSound(points) else {
        throw bad("kept", text, "lengths that increase, each with a share from 0 to 1, as 8192:0.9/32768:0.7")
      }
      return Array(repeating: KeptShare(points), count: layers)
    }
    let shares = parts.compactMap { Double($0) }
    guard shares.count == parts.count, shares.allSatisfy({ (0...1).contains($0) }) else {
      throw bad("kept", text, "shares from 0 to 1 of the rows that reach a drop")
    }
    guard shares.count == 1 || shares.count == layers else {
      throw bad("kept", text, "one share, or one for each of the \(layers) layers")
    }
    return (0..<layers).map { KeptShare(shares[shares.count == 1 ? 0 : $0]) }
  }

  private var synchronisation: Seconds {
    get throws(ExperimentError) {
      (try number("sync_us", 0...1e6) ?? Self.usualSynchronisation) * 1e-6
    }
  }

  private func number(_ name: String, _ range: ClosedRange<Double>) throws(ExperimentError) -> Double? {
    guard let text = parameters[name]?.description else { return nil }
    guard let value = Double(text), range.contains(value) else {
      throw bad(name, text, "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private func whole(_ name: String, _ what: String) throws(ExperimentError) -> Int {
    let text = parameters[name]?.description ?? "missing"
    guard let value = Int(text), (1...1 << 24).contains(value) else {
      throw bad(name, text, "a positive whole number: \(what)")
    }
    return value
  }
}

extension ModelDescription {
  /// Whether a layer's attention sees every token before.
  func seesEverything(_ layer: Int) -> Bool {
    hasAttention(layer: layer) && windows[layer] == nil && latent?.indexer == nil
  }

  /// What a selection's indexer keeps of a token: a key of two bytes a number in each layer that sees everything.
  func indexBytesPerToken(_ keys: KeySelection?) -> Int {
    guard let keys else { return 0 }
    return 2 * keys.indexWidth * (0..<layers).count(where: seesEverything)
  }
}
