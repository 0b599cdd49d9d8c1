import Serving
import Statistics

/// A figure of requests that is compared; less is always better.
package enum CompareMetric: String, CaseIterable, Sendable {
  case firstToken = "ttft_ms"
  case meanInterTokenLatency = "itl_mean_ms"
  case longestInterTokenLatency = "itl_max_ms"
  case endToEnd = "e2el_ms"
  case energy = "energy_j"
  case expertBytes = "expert_gb"

  /// The name for the eye.
  package var title: String {
    switch self {
    case .firstToken: "TTFT (ms)"
    case .meanInterTokenLatency: "ITL, mean (ms)"
    case .longestInterTokenLatency: "ITL, longest (ms)"
    case .endToEnd: "E2E (ms)"
    case .energy: "Energy (J)"
    case .expertBytes: "Expert weights (GB)"
    }
  }

  /// The title without its unit.
  package var name: String {
    switch self {
    case .firstToken: "TTFT"
    case .meanInterTokenLatency: "mean ITL"
    case .longestInterTokenLatency: "longest ITL"
    case .endToEnd: "E2E"
    case .energy: "energy"
    case .expertBytes: "expert weights"
    }
  }

  /// A request's value; not a number if it has none.
  package func value(of request: RequestRecord) -> Double {
    switch self {
    case .firstToken: request.timeToFirstToken * 1000
    case .meanInterTokenLatency: request.timePerOutputToken * 1000
    case .longestInterTokenLatency: request.request.outputTokens > 1 ? request.longestGap * 1000 : .nan
    case .endToEnd: request.endToEnd * 1000
    case .energy: request.joules
    case .expertBytes: request.expertBytes / 1e9
    }
  }
}
