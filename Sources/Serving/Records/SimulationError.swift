import Support

/// Why a run stopped short: a policy broke the rules.
public enum SimulationError: UserError, Hashable {
  /// A tile does not continue its prompt, or names none.
  case brokenTile(Tile, iteration: Int64, reason: String)
  /// The policy planned nothing although requests wait, prefill or decode, and nothing runs.
  case stalled(at: Seconds, unfinished: Int)

  /// One line: what is wrong, and where.
  public var description: String {
    switch self {
    case .brokenTile(let tile, let iteration, let reason):
      "the policy planned tokens \(tile.tokens), layers \(tile.layers) of prompt \(tile.sequence.index) in iteration "
        + "\(iteration), but \(reason)"
    case .stalled(let time, let unfinished):
      "the policy planned nothing at \(time) s although "
        + (unfinished == 1 ? "1 request is" : "\(unfinished) requests are") + " unfinished and nothing runs"
    }
  }

  /// A fault of the program.
  public var exitStatus: ExitStatus { .software }
}
