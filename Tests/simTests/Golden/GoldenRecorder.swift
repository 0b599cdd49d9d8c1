import Serving
import Support

/// Reduces everything that a run logs to two digests and a few sums.
///
/// The order in which records of different instances arrive does not count, nor do last bits: bytes are rounded to
/// whole ones, and times and joules are left to the sums, which are compared with a tolerance.
struct GoldenRecorder: Recorder {
  let wantsKernels: Bool
  private var iterations: [IterationRecord] = []
  private var spans: [SpanRecord] = []
  private var requests: [RequestRecord] = []
  private var kernels: [(instance: Int32, iteration: Int64, uses: [KernelUse])] = []
  private var gaps = (tokens: 0, seconds: 0.0, squares: 0.0)

  init(wantsKernels: Bool = false) { self.wantsKernels = wantsKernels }

  mutating func record(_ iteration: IterationRecord) { iterations.append(iteration) }
  mutating func record(_ span: SpanRecord) { spans.append(span) }
  mutating func record(_ request: RequestRecord) { requests.append(request) }

  mutating func record(gap: Seconds, tokens: Int) {
    gaps.tokens += tokens
    gaps.seconds += gap * Double(tokens)
    gaps.squares += gap * gap * Double(tokens)
  }

  mutating func record(kernels uses: [KernelUse], instance: Int32, iteration: Int64) {
    kernels.append((instance, iteration, uses))
  }

  /// What the run came to.
  ///
  /// - Parameters:
  ///   - name: the run's name.
  ///   - totals: what each kernel used over the run.
  ///   - idleJoules: energy while nothing ran.
  /// - Returns: digests, counts and sums.
  mutating func golden(name: String, totals: [KernelUse], idleJoules: Joules) -> Golden {
    iterations.sort { ($0.instance, $0.index) < ($1.instance, $1.index) }
    spans.sort {
      ($0.request, $0.firstIteration, $0.phase.rawValue) < ($1.request, $1.firstIteration, $1.phase.rawValue)
    }
    requests.sort { $0.request.id < $1.request.id }
    kernels.sort { ($0.instance, $0.iteration) < ($1.instance, $1.iteration) }
    return Golden(
      name: name, counts: counts, schedule: SHA256.hexDigest(of: Array(scheduleText.utf8)),
      bytes: SHA256.hexDigest(of: Array(bytesText(totals: totals).utf8)),
      figures: figures(totals: totals, idleJoules: idleJoules))
  }

  private var counts: Golden.Counts {
    Golden.Counts(
      completed: requests.count { $0.status == .completed },
      rejected: requests.count { $0.status == .rejected },
      unfinished: requests.count { $0.status == .unfinished },
      preemptions: requests.reduce(0) { $0 + Int($1.preemptions) }, iterations: iterations.count,
      longestQueue: iterations.reduce(0) { max($0, Int($1.queueLength)) })
  }

  /// Who ran when, by numbers of iterations.
  private var scheduleText: String {
    var text = ""
    for i in iterations {
      text += "i \(i.instance) \(i.index) \(i.decodeTokens) \(i.outputTokens) \(i.prefillTokens) "
      text += "\(i.prefillSequences) \(i.layerBegin) \(i.layerEnd) \(i.queueLength) \(i.kvBlocksUsed)\n"
    }
    for s in spans {
      text += "s \(s.request) \(s.instance) \(s.phase.rawValue) \(s.firstIteration) \(s.lastIteration) "
      text += "\(s.completed)\n"
    }
    for r in requests {
      text += "r \(r.request.id) \(r.request.promptTokens) \(r.request.outputTokens) \(r.status.rawValue) "
      text += "\(r.instance) \(r.preemptions)\n"
    }
    text += "g \(gaps.tokens)\n"
    return text
  }

  /// What was moved and computed.
  private func bytesText(totals: [KernelUse]) -> String {
    var text = ""
    for i in iterations {
      let bytes = [i.expertBytes, i.weightBytes, i.kvBytes, i.activationBytes].map { Int($0.rounded()) }
      text += "i \(i.instance) \(i.index) \(Int((i.experts * 1e6).rounded())) \(bytes)\n"
    }
    for use in kernels.flatMap(\.uses) + totals {
      text += "k \(use.kernel) \(use.calls) \(use.extrapolatedCalls) "
      // Operations are up to 1e18 in all, of which a double holds the first 15 digits.
      text += "\(Int((use.flops / 1e6).rounded())) \(Int((use.bytes / 1e3).rounded()))\n"
    }
    return text
  }

  /// Times in seconds and joules; those of a list are weighted by their rank, so that their order counts.
  private func figures(totals: [KernelUse], idleJoules: Joules) -> [Double] {
    func weighted<Element>(_ list: [Element], _ value: (Element) -> Double) -> Double {
      var sum = 0.0
      for (rank, element) in list.enumerated() {
        let value = value(element)
        if !value.isNaN { sum += value * (1 + Double(rank) / Double(list.count)) }
      }
      return sum
    }
    return [
      weighted(iterations, \.start), weighted(iterations, \.end), weighted(iterations, \.kernelSeconds),
      weighted(iterations, \.joules), weighted(requests, \.request.arrival),
      weighted(requests, \.scheduledAt),
      weighted(requests, \.firstTokenAt), weighted(requests, \.completedAt), weighted(requests, \.longestGap),
      weighted(requests, \.joules), weighted(requests, \.expertBytes), gaps.seconds, gaps.squares,
      weighted(kernels.flatMap(\.uses), \.seconds), weighted(kernels.flatMap(\.uses), \.joules),
      weighted(totals, \.seconds), weighted(totals, \.joules), idleJoules,
    ]
  }
}
