import CostModels
import Serving
import Systems

/// A step of several ranks that share the experts, layer by layer from the description: what is a rank's own as an instance's;
/// the experts on the rows of all, padded rank by rank; each layer as long as its slowest rank and its experts.
struct NaiveRanks {
  let one: NaiveCostModel

  /// How long the kernels of the step take, and what each rank's part of it is; the times in there are the rank's own and the
  /// experts'.
  func price(_ steps: [Step?]) -> (seconds: Double, answers: [NaiveCostModel.Answer]) {
    var answers = steps.map { _ in NaiveCostModel.Answer() }
    var issues = steps.map { _ in 0.0 }
    var seconds = 0.0
    for layer in 0..<one.model.layers {
      var slowest = 0.0
      for (rank, step) in steps.enumerated() {
        guard let step else { continue }
        let before = answers[rank].cost.kernelSeconds
        issues[rank] += addOwn(layer, step, to: &answers[rank])
        slowest = max(slowest, answers[rank].cost.kernelSeconds - before)
      }
      seconds += slowest + addExperts(layer, steps, to: &answers)
    }
    var ends = 0.0
    for (rank, step) in steps.enumerated() {
      guard let step else { continue }
      let before = answers[rank].cost.kernelSeconds
      one.finish(step, issue: issues[rank], &answers[rank])
      ends = max(ends, answers[rank].cost.kernelSeconds - before)
    }
    return (seconds + ends, answers)
  }

  /// What a layer takes of a rank but for its experts; the host's time to issue it comes back.
  private func addOwn(_ layer: Int, _ step: Step, to answer: inout NaiveCostModel.Answer) -> Double {
    let segments = step.tiles.filter { $0.layers.contains(layer) }
    let rows = step.contexts.count + segments.reduce(0) { $0 + $1.tokens }
    guard rows > 0 else { return 0 }
    let (computed, isInGraph) = one.padded(rows, prefill: !segments.isEmpty)
    let decodeShare = Double(step.contexts.count) / Double(rows)
    for launch in one.rowLaunches(layer, rows: rows, computed: computed, isInGraph: isInGraph) {
      let joules = one.add(launch, to: &answer)
      answer.cost.decodeRowJoules += joules * decodeShare
      answer.cost.prefillRowJoules += joules * (1 - decodeShare)
    }
    one.addMixing(layer, segments, of: step, to: &answer)
    return one.issueSeconds(layer, isInGraph: isInGraph)
  }

  /// The experts of a layer: one call for all ranks, whose time is each one's; energy and bytes are the rows'.
  private func addExperts(
    _ layer: Int, _ steps: [Step?], to answers: inout [NaiveCostModel.Answer]
  ) -> Double {
    guard one.model.hasExperts(layer), let routing = one.routing else { return 0 }
    func segments(_ step: Step) -> [Step.Tile] { step.tiles.filter { $0.layers.contains(layer) } }
    func rows(_ step: Step?) -> Int {
      step.map { $0.contexts.count + segments($0).reduce(0) { $0 + $1.tokens } } ?? 0
    }
    let all = steps.reduce(0) { $0 + rows($1) }
    guard all > 0 else { return 0 }
    let decodes = steps.reduce(0) { $0 + ($1?.contexts.count ?? 0) }
    let tokens = steps.compactMap(\.self).flatMap { segments($0).map { Int32($0.tokens) } }
    let active =
      tokens.isEmpty
      ? routing.distinct(layers: 0..<1, decodes: decodes)
      : routing.distinct(layers: 0..<1, decodes: decodes, prefill: tokens.span)
    let computed = steps.map(rows).filter { $0 > 0 }.reduce(0) {
      $0 + one.padded($1, prefill: !tokens.isEmpty).rows
    }
    let launch = one.experts(rows: computed, active: active, carriesPrefill: !tokens.isEmpty)
    // An expert is in one place, sliced over its GPUs, and there are as many places as ranks of experts.
    let bytes =
      active * one.shard.bytesPerExpert * Double(one.gpus * one.dataParallel) / Double(one.expertRanks)
    for (rank, step) in steps.enumerated() where rows(step) > 0 {
      let share = Double(rows(step)) / Double(all)
      let decodeShare = Double(step?.contexts.count ?? 0) / Double(rows(step))
      // On the GPUs of one rank, as if there were no others: of all of them so many times as much.
      var part = NaiveCostModel.Answer()
      let joules = one.add(launch, to: &part) * Double(one.dataParallel) * share
      let more = Double(one.dataParallel) * share
      answers[rank].cost.kernelSeconds += launch.seconds
      answers[rank].cost.experts += active * share
      answers[rank].cost.expertBytes += bytes * share
      answers[rank].cost.decodeExpertBytes += bytes * share * decodeShare
      answers[rank].cost.weightBytes += part.cost.weightBytes * more - bytes * share
      answers[rank].cost.activationBytes += part.cost.activationBytes * more
      answers[rank].cost.decodeRowJoules += joules * decodeShare
      answers[rank].cost.prefillRowJoules += joules * (1 - decodeShare)
    }
    return launch.seconds
  }
}
