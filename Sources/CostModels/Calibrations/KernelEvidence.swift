import Serving
import Systems

/// What the times of kernels rest on: seconds by the quality of what prices them.
///
/// A launch inside the ranges that were measured of its very shape is measured. A launch outside them is not, and counts by how the
/// coefficients came about: by shapes between which they are interpolated, by a law of all shapes, by a similar kernel, or by
/// the data sheet. Launches of a kernel are taken to be alike in their times; where its shapes differ, those outside count
/// by the least of them.
public struct KernelEvidence: Sendable, Hashable {
  /// A kind of evidence, the surest first.
  public enum Kind: String, Sendable, CaseIterable {
    /// Measured, on this GPU and in this shape.
    case measured
    /// Of a measured shape, beyond the rows or contexts that were measured.
    case beyond = "beyond measured sizes"
    /// Interpolated between measured shapes, or carried over from the most similar one.
    case between = "between measured shapes"
    /// By a law fitted to all shapes together.
    case allShapes = "by a law of all shapes"
    /// After a similar kernel, or reasoned.
    case estimate = "estimated"
    /// By the rates of the data sheet.
    case roofline = "by the data sheet"
  }

  /// The least kind of the shapes of each kernel, for launches outside what was measured.
  private var outside: [String: Kind] = [:]
  /// The same for launches inside, of kernels whose launches never count as outside.
  private var inside: [String: Kind] = [:]

  /// Finds the evidence for the kernels of a system.
  ///
  /// - Parameters:
  ///   - shard: what each GPU holds of the model.
  ///   - choice: the kernels that the engine has for it.
  ///   - calibration: the fits.
  ///   - prefix: what results prepend to the kernels' names.
  public init(
    _ shard: ModelShard, _ choice: KernelChoice, calibration: Calibration, prefix: String = ""
  ) {
    var calls = LayerProgram.before(shard, choice)
    for kind in shard.kinds { calls += LayerProgram(kind, of: shard, choice).calls }
    calls += LayerProgram.after(shard, choice)
    for call in calls { add(call, calibration, prefix) }
  }

  private mutating func add<Call: KernelCall>(_ call: Call, _ calibration: Calibration, _ prefix: String) {
    let name = prefix + call.kernel.rawValue
    let quality = calibration.fit(call.shape).quality
    if Call.Family.flagsExtrapolation {
      outside[name] = Self.lesser(outside[name], Self.kind(quality, isInside: false))
    } else {
      inside[name] = Self.lesser(inside[name], Self.kind(quality, isInside: true))
    }
  }

  private static func kind(_ quality: Quality, isInside: Bool) -> Kind {
    switch quality {
    case .measured: isInside ? .measured : .beyond
    case .neighbours: .between
    case .allShapes, .fitted: .allShapes
    case .dataSheet: .roofline
    case .estimate, .sourceCode, .assumption, .user: .estimate
    }
  }

  private static func lesser(_ a: Kind?, _ b: Kind) -> Kind {
    let order = Kind.allCases
    guard let a,
      let (i, j) = order.firstIndex(of: a).flatMap({ i in order.firstIndex(of: b).map { (i, $0) } })
    else { return b }
    return order[max(i, j)]
  }

  /// Adds the kernels of another system, whose results have the same names or others.
  public mutating func merge(_ other: KernelEvidence) {
    outside.merge(other.outside, uniquingKeysWith: Self.lesser)
    inside.merge(other.inside, uniquingKeysWith: Self.lesser)
  }

  /// The shares of the time of what kernels have used, by kind; those of no time are left out.
  ///
  /// What is no kernel of a model, such as the sending of rows between stages, is an estimate. Waiting for other ranks is none.
  ///
  /// - Complexity: O(kernels).
  public func shares(of uses: [KernelUse]) -> [(kind: Kind, share: Double)] {
    var seconds: [Kind: Double] = [:]
    for use in uses where use.calls > 0 && use.kernel != KernelUse.waitForRanks {
      let isKnown = outside[use.kernel] != nil
      let out = use.seconds * Double(use.extrapolatedCalls) / Double(use.calls)
      seconds[outside[use.kernel] ?? .estimate, default: 0] += out
      seconds[inside[use.kernel] ?? (isKnown ? .measured : .estimate), default: 0] += use.seconds - out
    }
    // In order: the same bits each time.
    let all = Kind.allCases.reduce(0) { $0 + seconds[$1, default: 0] }
    guard all > 0 else { return [] }
    return Kind.allCases.compactMap { kind in
      seconds[kind].flatMap { $0 > 0 ? (kind, $0 / all) : nil }
    }
  }
}
