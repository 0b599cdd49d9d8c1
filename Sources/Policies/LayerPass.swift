import Serving

/// A cohort of prompts on its way through the model, one group of layers an iteration.
///
/// While a pass is under way nobody joins it: the cohort is locked until its last group.
struct LayerPass: Sendable {
  private var cohort: [Tile] = []
  private var groups = 1
  private var stage = 0

  /// Whether a cohort is on its way.
  var isUnderWay: Bool { !cohort.isEmpty }

  /// Forms a cohort: the remainders of prompts that were cut, then new prompts in order of arrival.
  ///
  /// - Parameters:
  ///   - view: the instance.
  ///   - plan: admits the prompts; with the sequences that it decodes the cohort stays within the cap.
  ///   - limit: most tokens of a cohort; the prompt that exceeds it is cut there.
  ///   - groupCount: groups of layers for a cohort of so many tokens.
  mutating func form(
    _ view: InstanceView, _ plan: inout StepPlan, limit: Tokens, groupCount: (Tokens) -> Int
  ) {
    var tokens = 0
    var position = 0
    while tokens < limit, plan.decodes + cohort.count < view.maxSequences {
      guard let prompt = plan.promptOrNext(position, view) else { break }
      let part = min(prompt.remaining, limit - tokens)
      cohort.append(
        Tile(sequence: prompt.slot, tokens: prompt.done..<prompt.done + part, layers: 0..<0))
      tokens += part
      position += 1
    }
    groups = min(groupCount(tokens), view.layers)
    stage = 0
  }

  /// The cohort as it would be in so many groups of layers; before its first one only.
  func divided(into groups: Int) -> LayerPass {
    var pass = self
    pass.groups = groups
    return pass
  }

  /// Plans the cohort's next group of layers.
  ///
  /// Groups are contiguous and as equal as can be; the first ones have a layer more where the division leaves a rest.
  mutating func advance(layers: Int, into plan: inout StepPlan) {
    guard isUnderWay else { return }
    let (size, rest) = layers.quotientAndRemainder(dividingBy: groups)
    let begin = stage * size + min(stage, rest)
    let end = begin + size + (stage < rest ? 1 : 0)
    for var tile in cohort {
      tile.layers = begin..<end
      plan.append(tile)
    }
    stage += 1
    if stage == groups { cohort.removeAll(keepingCapacity: true) }
  }
}
