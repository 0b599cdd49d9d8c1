import ArgumentParser
import Experiments
import Policies

/// The schedule.
struct PolicyOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("schedule-mode")],
    help: ArgumentHelp(
      "The scheduling policy (see 'sim list policies'), with parameters as in layered[stages=8,cohort=4096]. Default: "
        + "the engine's, chunked for nano-vllm; chunked,layered for tune and plan, whatever the engine.",
      valueName: "name"))
  var policy: String?

  @Option(
    help: ArgumentHelp(
      "Tokens in an iteration (chunked, orca, static), in a pass (layered) or in a chunk (hybrid). Default: the "
        + "engine's for chunked (16384 for nano-vllm, 512 for paper, 8192 for the others), 8192 for layered.")
  )
  var maxNumBatchedTokens: Int?

  @Option(
    help: ArgumentHelp(
      "Most tokens of one prompt in an iteration while there are other requests (vllm); 0: no limit."))
  var longPrefillTokenThreshold: Int?

  @Option(help: ArgumentHelp("Groups of layers of a pass. Default: 16 for 48 layers, 12 for 24."))
  var numStages: Int?

  @Flag(
    name: [.customLong("no-fast-forward"), .customLong("exact-steps")],
    help: ArgumentHelp(
      "Ask the policy before every iteration, even where it would only repeat itself: slower, with the same results."
    )
  )
  var exactSteps = false

  /// The policy with the parameters that were given.
  ///
  /// - Parameter own: the engine's own policy; it is asked for only where parameters were given without a policy.
  /// - Returns: the policy; `nil` for the engine's own as it is.
  /// - Throws: if there is no such policy or parameter, and what `own` throws.
  func specification(own: () throws -> String) throws -> PolicySpecification? {
    let isBare = maxNumBatchedTokens == nil && longPrefillTokenThreshold == nil && numStages == nil
    if policy == nil, isBare { return nil }
    var policy = try Policy(policy ?? own())
    if let tokens = maxNumBatchedTokens, !policy.has(policy.entry.batchedTokens) {
      try policy.set(policy.entry.batchedTokens, to: "\(tokens)")
    }
    if let tokens = longPrefillTokenThreshold { try policy.set("long", to: "\(tokens)") }
    if let stages = numStages, !policy.has("stages") {
      // The reference engine's flags for chunked prefill name a single stage.
      if stages != 1 || policy.entry.parameters.contains(where: { $0.name == "stages" }) {
        try policy.set("stages", to: "\(stages)")
      }
    }
    return PolicySpecification(parsing: policy.description)
  }
}
