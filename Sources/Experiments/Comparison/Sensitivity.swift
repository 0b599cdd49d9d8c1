import Dispatch
import Serving
import Synchronization

/// What would have to be different for the other of two policies to win: one lever, all else as it is.
package struct Sensitivity: Sendable {
  /// The two policies, and what decides between them.
  package struct Pair: Sendable {
    /// The policies' experiments on the same requests.
    package let experiments: [LoadedExperiment]
    /// Whether each has iterations whose prefill passes some layers only.
    package let partialDepth: [Bool]
    /// The figure whose mean decides; less wins.
    package let metric: CompareMetric

    /// Two experiments on the same requests.
    package init(
      _ first: LoadedExperiment, _ other: LoadedExperiment, partialDepth: [Bool], metric: CompareMetric
    ) {
      experiments = [first, other]
      self.partialDepth = partialDepth
      self.metric = metric
    }
  }

  /// What is varied.
  package let lever: SensitivityLever
  /// The policies that depend on it: 0 is the first one, 1 the other.
  package let concerned: [Int]
  /// The policy that wins at the present value: 0 or 1.
  package let winner: Int
  /// The present value.
  package let present: Double
  /// Where the winner ceases to win below the present value, and above it.
  package let below: CrossingSearch.Crossing?
  package let above: CrossingSearch.Crossing?
  /// The least and the largest value that were tried.
  package let searched: ClosedRange<Double>

  /// Looks for the nearest change of winner on both sides, for every lever that concerns one of both policies.
  ///
  /// - Parameters:
  ///   - pair: the policies.
  ///   - runs: makes the runs, and remembers them.
  /// - Returns: a result for each lever; none if the policies do not differ in the figure at all.
  /// - Throws: if a policy breaks the engine's rules.
  /// - Complexity: some ten to twenty runs for each lever, on all cores.
  package static func all(of pair: Pair, runs: VariantRuns) throws -> [Sensitivity] {
    let present = try pair.experiments.map { try runs.means(of: $0)[pair.metric] }
    guard present[0] != present[1], !present.contains(where: \.isNaN) else { return [] }
    let winner = present[0] < present[1] ? 0 : 1
    let levers = SensitivityLever.allCases.compactMap { lever -> (SensitivityLever, [Int])? in
      let concerned = [0, 1].filter {
        lever.concerns(pair.experiments[$0], partialDepth: pair.partialDepth[$0])
      }
      // A budget is one policy's own: of two policies of chunks the first one's is varied.
      let varied = lever == .chunkBudget ? Array(concerned.prefix(1)) : concerned
      return varied.isEmpty ? nil : (lever, varied)
    }
    let sides = levers.flatMap { lever in [false, true].map { (lever: lever, up: $0) } }
    let outcomes = Mutex([Result<CrossingSearch, any Error>?](repeating: nil, count: sides.count))
    DispatchQueue.concurrentPerform(iterations: sides.count) { side in
      let (lever, concerned) = sides[side].lever
      let value = lever.value(in: pair.experiments[concerned[0]])
      let outcome = Result {
        try CrossingSearch(
          from: value, through: sides[side].up ? lever.above(value) : lever.below(value), scale: lever.scale
        ) { try wins(winner, of: pair, lever, at: $0, concerned: concerned, runs: runs) }
      }
      outcomes.withLock { $0[side] = outcome }
    }
    let found = try outcomes.withLock { try $0.compactMap { try $0?.get() } }
    return levers.enumerated().map { i, lever in
      let (below, above) = (found[2 * i], found[2 * i + 1])
      return Sensitivity(
        lever: lever.0, concerned: lever.1, winner: winner,
        present: lever.0.value(in: pair.experiments[lever.1[0]]), below: below.crossing,
        above: above.crossing, searched: below.searched...above.searched)
    }
  }

  /// Whether a policy still wins at a value; `nil` if the value is not possible.
  private static func wins(
    _ winner: Int, of pair: Pair, _ lever: SensitivityLever, at value: Double, concerned: [Int],
    runs: VariantRuns
  ) throws -> Bool? {
    var experiments = pair.experiments
    for i in concerned {
      let policy = experiments[i].policy
      guard
        let variant = try? runs.variant(
          of: experiments[i], { lever.set(value, in: &$0, policy: policy) })
      else { return nil }
      experiments[i] = variant
    }
    let means = try experiments.map { try runs.means(of: $0)[pair.metric] }
    return means[winner] < means[1 - winner]
  }
}
