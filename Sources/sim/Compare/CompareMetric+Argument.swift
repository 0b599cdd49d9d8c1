import ArgumentParser
import Experiments

/// By the names that objectives use.
extension CompareMetric: ExpressibleByArgument {
  /// Reads `ttft`, `tpot`, `tbt`, `e2el`, `energy` or `experts`; `itl` means two things in objectives, neither of them here.
  public init?(argument: String) {
    switch argument {
    case "ttft": self = .firstToken
    case "tpot": self = .meanInterTokenLatency
    case "tbt": self = .longestInterTokenLatency
    case "e2el", "e2e": self = .endToEnd
    case "energy": self = .energy
    case "experts": self = .expertBytes
    default: return nil
    }
  }

  /// What help texts list.
  public static var allValueStrings: [String] { ["ttft", "tpot", "tbt", "e2el", "energy", "experts"] }
}
