import Serving

/// A cohort of prompts on its way through the model, one group of layers an iteration.
///
/// While a pass is under way nobody joins it: the cohort is locked until its last group.
struct LayerPass: Sendable {
  private var cohort: [Tile] = []
  private var groups = 1
  private var stage = 0
  /// Where each group ends; empty where all have as many layers.
  private var ends: [Int] = []

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
    ends.removeAll(keepingCapacity: true)
  }

  /// Cuts the layers so that groups take equal times by the cost model's estimate, and not equal numbers of layers; before
  /// the first one only.
  ///
  /// Each group ends with the layer by which its share of the time has passed, and has a layer at least.
  ///
  /// - Complexity: O(groups x log layers) estimates.
  mutating func cutByCost(_ view: InstanceView, _ plan: inout StepPlan) {
    guard isUnderWay, groups > 1 else { return }
    func seconds(through end: Int) -> Seconds {
      for var tile in cohort {
        tile.layers = 0..<end
        plan.append(tile)
      }
      defer { plan.removeTiles() }
      return view.estimate(plan).kernelSeconds
    }
    // Decode steps, which pass all layers with every group.
    let base = view.estimate(plan).kernelSeconds
    let whole = seconds(through: view.layers)
    for group in 1..<groups {
      let due = base + (whole - base) * Double(group) / Double(groups)
      var (least, most) = ((ends.last ?? 0) + 1, view.layers - groups + group)
      while least < most {
        let end = (least + most) / 2
        if seconds(through: end) >= due { most = end } else { least = end + 1 }
      }
      ends.append(most)
    }
    ends.append(view.layers)
  }

  /// The cohort as it would be in so many groups of layers; before its first one only.
  func divided(into groups: Int) -> LayerPass {
    var pass = self
    pass.groups = groups
    return pass
  }

  /// Plans the cohort's next group of layers.
  ///
  /// Groups are contiguous, and as equal as can be unless they were cut by their cost; the first ones have a layer more where the
  /// division leaves a rest.
  mutating func advance(layers: Int, into plan: inout StepPlan) {
    guard isUnderWay else { return }
    let (size, rest) = layers.quotientAndRemainder(dividingBy: groups)
    var begin = stage * size + min(stage, rest)
    var end = begin + size + (stage < rest ? 1 : 0)
    if !ends.isEmpty { (begin, end) = (stage > 0 ? ends[stage - 1] : 0, ends[stage]) }
    for var tile in cohort {
      tile.layers = begin..<end
      plan.append(tile)
    }
    stage += 1
    if stage == groups { cohort.removeAll(keepingCapacity: true) }
  }
}
