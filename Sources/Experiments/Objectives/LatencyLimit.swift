import Foundation
import Serving
import Support

/// An upper limit on a latency: of each request, or on a statistic of a run.
package struct LatencyLimit: Sendable, Hashable, CustomStringConvertible {
  /// A latency that can be limited.
  package enum Latency: String, CaseIterable, Sendable {
    /// Time to first token.
    case ttft
    /// The longest gap between two tokens of a request.
    case tbt
    /// A request's mean time per token after the first.
    case tpot
    /// The gap between two tokens, pooled over requests; of a single request the longest one, as `tbt`.
    case itl
    /// Time from arrival to last token.
    case e2el
  }

  /// What is limited: every request's own latency, or a statistic over the run.
  package enum Scope: Sendable, Hashable {
    case eachRequest
    case mean
    case percentile(Double)
  }

  package let latency: Latency
  package let scope: Scope
  package let seconds: Seconds

  /// Creates a limit.
  package init(_ latency: Latency, _ scope: Scope = .eachRequest, seconds: Seconds) {
    self.latency = latency
    self.scope = scope
    self.seconds = seconds
  }

  /// Reads a limit as people write it.
  ///
  /// `ttft:1s`, `tpot=30ms`, `tbt<=50`, `p99_ttft:1s`, `mean_tpot:30ms`, `ttft:1s@99%`. A number without a unit is in
  /// milliseconds.
  ///
  /// - Throws: ``ObjectiveError``, which says what would be right.
  package init(parsing text: String) throws(ObjectiveError) {
    guard let sign = text.firstIndex(where: { ":=<".contains($0) }) else { throw .malformed(text) }
    var name = text[..<sign].lowercased()
    var value = text[text.index(after: sign)...].drop { "= ".contains($0) }
    var scope = Scope.eachRequest
    if let mark = name.firstIndex(of: "_") {
      let prefix = name[..<mark]
      name = String(name[name.index(after: mark)...])
      switch prefix {
      case "mean", "avg": scope = .mean
      case "median": scope = .percentile(50)
      default:
        guard prefix.first == "p", let percent = Self.percent(prefix.dropFirst()) else {
          throw .unknownStatistic(text)
        }
        scope = .percentile(percent)
      }
    }
    if let at = value.firstIndex(of: "@") {
      guard scope == .eachRequest else { throw .unknownStatistic(text) }
      let share = value[value.index(after: at)...]
      guard let percent = Self.percent(share.last == "%" ? share.dropLast() : share) else {
        throw .unknownStatistic(text)
      }
      scope = .percentile(percent)
      value = value[..<at]
    }
    guard let latency = Latency(rawValue: name == "e2e" ? "e2el" : name) else {
      throw .unknownLatency(text, nearest: nearestName(to: name, among: Latency.allCases.map(\.rawValue)))
    }
    guard let seconds = Self.seconds(value) else { throw .malformed(text) }
    guard seconds > 0 else { throw .notPositive(text) }
    guard latency != .tbt || scope == .eachRequest else { throw .longestGapHasNoStatistic(text) }
    self.init(latency, scope, seconds: seconds)
  }

  /// What `limited_by` and tables call it: `ttft`, `p99_ttft`, `mean_tpot`.
  package var name: String {
    switch scope {
    case .eachRequest: latency.rawValue
    case .mean: "mean_\(latency)"
    case .percentile(let percent): "p\(RunFigure.plain(percent))_\(latency)"
    }
  }

  /// The text that ``init(parsing:)`` reads: `p99_ttft:1s`.
  package var description: String {
    let milliseconds = seconds * 1000
    let text = seconds >= 1 ? "\(Self.short(seconds))s" : "\(Self.short(milliseconds))ms"
    return "\(name):\(text)"
  }

  /// Whether both are on the same figure: of single requests `itl` is the longest gap, as `tbt`.
  package func limitsTheSame(as other: LatencyLimit) -> Bool {
    func figure(_ limit: LatencyLimit) -> Latency {
      limit.latency == .itl && limit.scope == .eachRequest ? .tbt : limit.latency
    }
    return scope == other.scope && figure(self) == figure(other)
  }

  /// The percentile that it is on, if it is on one.
  package var percentile: Double? { if case .percentile(let percent) = scope { percent } else { nil } }

  private static func percent(_ text: Substring) -> Double? {
    Double(text).flatMap { $0 > 0 && $0 <= 100 ? $0 : nil }
  }

  /// The longest limit: thirty years.
  private static let mostSeconds: Seconds = 1e9

  /// A time with or without its unit.
  private static func seconds(_ text: Substring) -> Seconds? {
    let units: [(String, Double)] = [("ms", 1e-3), ("us", 1e-6), ("min", 60), ("s", 1)]
    let unit = units.first { text.hasSuffix($0.0) } ?? ("", 1e-3)
    guard let number = Double(text.dropLast(unit.0.count)), number.isFinite else { return nil }
    let seconds = number * unit.1
    return seconds <= mostSeconds ? seconds : nil
  }

  private static func short(_ value: Double) -> String { String(format: "%g", value) }
}
