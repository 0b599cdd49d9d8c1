import Experiments
import Foundation
import Support

/// How far the simulator is off, by groups of measured servers and over all of them.
struct ServersReport {
  let rows: [MeasuredServer]
  let predictions: [ServerPrediction]
  let replay: ServerReplay
  let fitted: FittedServers

  /// A row that was replayed.
  private struct Replayed {
    let server: MeasuredServer
    let firstToken: Double
    let timePerToken: Double
    /// Whether its preset was fitted to it.
    let isFitted: Bool
    var error: Double { timePerToken / server.timePerToken - 1 }
  }

  private var replayed: [Replayed] {
    zip(rows, predictions).compactMap { server, prediction in
      guard case .times(let first, let perToken) = prediction else { return nil }
      return Replayed(
        server: server, firstToken: first, timePerToken: perToken, isFitted: isFitted(server))
    }
  }

  private func isFitted(_ server: MeasuredServer) -> Bool {
    fitted.contains(server, preset: replay.preset(server))
  }

  var text: String {
    let replayed = replayed
    var parts = [coverage(replayed)]
    guard !replayed.isEmpty else { return parts[0] }
    parts.append(groups(replayed))
    parts.append(worst(replayed))
    parts.append(plot(replayed))
    parts.append(shares(replayed))
    return parts.joined(separator: "\n\n")
  }

  private func coverage(_ replayed: [Replayed]) -> String {
    var reasons: [String: Int] = [:]
    for case .notCovered(let reason) in predictions { reasons[reason, default: 0] += 1 }
    var lines = ["\(replayed.count) of \(rows.count) rows are replayed"]
    for (reason, count) in reasons.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      lines.append("  \(count) are not: \(reason)")
    }
    return lines.joined(separator: "\n")
  }

  private func groups(_ replayed: [Replayed]) -> String {
    var table = TextTable([.left, .left] + Array(repeating: .right, count: 9))
    table.add([
      "group", "preset", "rows", "TPOT median", "P90", "bias", "TTFT rows", "median", "P90", "bias",
      "unscored",
    ])
    func add(_ name: String, _ preset: String, _ some: [Replayed]) {
      var errors = ServerErrors()
      for one in some { errors.add(one.server, firstToken: one.firstToken, timePerToken: one.timePerToken) }
      let perToken = ServerErrors.summary(errors.timePerToken)
      let first = ServerErrors.summary(errors.firstToken)
      let unscored = ServerErrors.summary(errors.firstTokenUnscored)
      table.add(
        [name, preset, "\(some.count)"]
          + [perToken?.median, perToken?.p90, perToken?.bias].map(Self.percent)
          + [errors.firstToken.isEmpty ? "" : "\(errors.firstToken.count)"]
          + [first?.median, first?.p90, first?.bias, unscored?.bias].map(Self.percent))
    }
    let names = Set(replayed.map(\.server.group)).sorted()
    for name in names {
      for isFitted in [true, false] {
        let some = replayed.filter { $0.server.group == name && $0.isFitted == isFitted }
        guard let first = some.first else { continue }
        let degrees = Set(some.map(\.server.tensorParallel)).sorted().map { "\($0)" }
        let suffix = isFitted ? ", fitted to: tp " + degrees.joined(separator: " ") : ""
        add(name + suffix, replay.preset(first.server) ?? "", some)
      }
    }
    let predicted = replayed.filter { !$0.isFitted }
    add("fitted to: all", "", replayed.filter(\.isFitted))
    for backend in Set(predicted.map(\.server.backend)).sorted() {
      add("predicted: all of \(backend)", "", predicted.filter { $0.server.backend == backend })
    }
    let together = predicted.filter { !$0.server.isDisaggregated }
    add("predicted: tp 1 and 2", "", together.filter { $0.server.tensorParallel <= 2 })
    add("predicted: tp 4 and 8", "", together.filter { $0.server.tensorParallel > 2 })
    add("predicted: aggregated", "", together)
    add("predicted: disaggregated", "", predicted.filter(\.server.isDisaggregated))
    add("predicted: all", "", predicted)
    return table.text.trimmingCharacters(in: .newlines)
  }

  private func worst(_ replayed: [Replayed]) -> String {
    var table = TextTable([.left, .right, .right, .right, .right])
    table.add(["worst rows by TPOT", "measured ms", "simulated", "TTFT measured", "simulated"])
    for one in replayed.filter(\.server.scoresTimePerToken).sorted(by: { abs($0.error) > abs($1.error) })
      .prefix(8)
    {
      table.add(
        [one.server.key]
          + [one.server.timePerToken, one.timePerToken, one.server.firstToken, one.firstToken]
          .map { String(format: "%.2f", $0 * 1000) })
    }
    return table.text.trimmingCharacters(in: .newlines)
  }

  /// How many rows have which error of the time per token.
  private func plot(_ replayed: [Replayed]) -> String {
    let bounds = [-0.3, -0.2, -0.1, -0.05, 0, 0.05, 0.1, 0.2, 0.3]
    var counts = Array(repeating: 0, count: bounds.count + 1)
    for one in replayed where one.server.scoresTimePerToken {
      counts[bounds.firstIndex { one.error < $0 } ?? bounds.count] += 1
    }
    let most = max(counts.max() ?? 1, 1)
    var lines = ["simulated TPOT less the measured one, in % of it"]
    for (place, count) in counts.enumerated() {
      let from = place == 0 ? "" : String(format: "%+.0f", bounds[place - 1] * 100)
      let to = place == bounds.count ? "" : String(format: "%+.0f", bounds[place] * 100)
      let label = "\(from)..\(to)"
      lines.append(
        label.padding(toLength: 10, withPad: " ", startingAt: 0)
          + String(repeating: "#", count: (count * 50 + most - 1) / most) + (count > 0 ? " \(count)" : ""))
    }
    return lines.joined(separator: "\n")
  }

  /// Shares of all rows that can be scored, whether they are replayed or not; and of those that no preset was fitted to.
  private func shares(_ replayed: [Replayed]) -> String {
    let predicted = rows.filter { !isFitted($0) }
    return shares(replayed, of: rows, "all")
      + "\n" + shares(replayed.filter { !$0.isFitted }, of: predicted, "predicted")
  }

  private func shares(_ replayed: [Replayed], of rows: [MeasuredServer], _ which: String) -> String {
    let perToken = rows.filter(\.scoresTimePerToken).count
    let first = rows.filter(\.scoresFirstToken).count
    let clean = replayed.filter(\.server.scoresTimePerToken)
    let near = clean.filter { abs($0.error) <= 0.1 }.count
    let nearFirst = clean.filter {
      $0.server.scoresFirstToken && abs($0.firstToken / $0.server.firstToken - 1) <= 0.2
    }.count
    func share(_ part: Int, _ all: Int) -> String {
      String(format: "%.1f %%", 100 * Double(part) / Double(all))
    }
    guard perToken > 0 else { return "of \(which) \(rows.count) rows none is clean" }
    return "TPOT within 10 % in \(share(near, perToken)) of \(which) \(perToken) clean rows\n"
      + (first > 0
        ? "TTFT within 20 % in \(share(nearFirst, first)) of the \(first) of them that bear one"
        : "none of them bears a TTFT")
  }

  func write(to file: WholeFile) throws {
    file.write(
      "key,preset,measured_ttft_ms,simulated_ttft_ms,measured_tpot_ms,simulated_tpot_ms,flag,reason\n")
    for (server, prediction) in zip(rows, predictions) {
      var fields = [server.key, replay.preset(server) ?? "", "\(server.firstToken * 1000)", ""]
      fields += ["\(server.timePerToken * 1000)", "", server.flag, ""]
      switch prediction {
      case .times(let first, let perToken):
        fields[3] = String(format: "%.4f", first * 1000)
        fields[5] = String(format: "%.4f", perToken * 1000)
      case .notCovered(let reason): fields[7] = reason.replacingOccurrences(of: ",", with: ";")
      }
      file.write(fields.joined(separator: ",") + "\n")
    }
    try file.finish()
  }

  private static func percent(_ share: Double?) -> String {
    share.map { String(format: "%.1f", $0 * 100) } ?? ""
  }
}
