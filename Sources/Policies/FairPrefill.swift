import Serving

/// Chunked prefill that shares prompts out fairly among tenants: the one that has been served least is next.
///
/// A counter for each tenant counts the prompt tokens that were admitted of it, as the virtual token counter of Sheng et al.
/// ("Fairness in serving large language models", OSDI 2024) does; outputs, whose lengths nobody knows at admission, do not count.
/// A tenant that comes back after a pause begins with the least counter of those that wait, so that it has no credit for
/// the time in which it asked for nothing.
public struct FairPrefill: ChoosingPrefill {
  let budget: Tokens
  /// Prompt tokens admitted of each tenant, and what pauses were counted for.
  private var served: [Double] = []
  /// Whether a tenant had somebody waiting when a step was planned last.
  private var waited: [Bool] = []

  /// Creates the policy.
  ///
  /// - Parameter budget: most tokens that an iteration runs; decode steps count.
  public init(budget: Tokens) { self.budget = budget }

  /// What its tenant has been served.
  func rank(of prompt: Prompt, _ view: InstanceView) -> Double { served[view.tenant(of: prompt)] }

  mutating func admitted(_ prompt: Prompt, _ view: InstanceView) {
    served[view.tenant(of: prompt)] += Double(prompt.tokens)
  }

  /// Plans decode steps, then chunks of the prompts under way, then of the tenants that were served least.
  ///
  /// - Complexity: O(waiting) for each step with somebody waiting, and for each prompt that is admitted.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    welcome(view)
    planChoosing(view, into: &plan)
  }

  /// Lifts the counters of tenants that did not wait before to the least of those that did.
  private mutating func welcome(_ view: InstanceView) {
    var waits = [Bool](repeating: false, count: served.count)
    var next = view.waiting(after: nil)
    while let prompt = next {
      let tenant = view.tenant(of: prompt)
      if tenant >= served.count {
        let more = tenant + 1 - served.count
        served += [Double](repeating: 0, count: more)
        waited += [Bool](repeating: false, count: more)
        waits += [Bool](repeating: false, count: more)
      }
      waits[tenant] = true
      next = view.waiting(after: prompt)
    }
    let stayed = served.indices.filter { waits[$0] && waited[$0] }.map { served[$0] }.min()
    for tenant in served.indices where waits[tenant] && !waited[tenant] {
      served[tenant] = max(served[tenant], stayed ?? served[tenant])
    }
    waited = waits
  }
}
