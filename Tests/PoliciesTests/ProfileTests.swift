import Policies
import Serving
import Testing

extension TokenProfile {
  /// Up to five drops of small blocks, or few keys, or both.
  static func random(using random: inout RandomCase, layers: Int) -> TokenProfile {
    var drops: [Drop] = []
    var layer = random.pick(0...layers / 3)
    let count = random.pick(0, 1, random.pick(2...5))
    while drops.count < count, layer < layers - 1 {
      let share = random.pick(0, 1, Double(random.pick(0...100)) / 100)
      drops.append(Drop(layer: layer, kept: .share(KeptShare(share))))
      layer += random.pick(1...max(1, layers / 4))
    }
    let keys = random.pick(1, random.pick(2...60))
    return TokenProfile(
      drops: drops, place: random.pick(.behindAttention, .behindAttention, .behindLayer),
      block: random.pick(1...7), first: random.pick(0...9), last: random.pick(1...9),
      keys: random.pick(0...2) == 0 ? KeySelection(keys: keys, block: 1, indexWidth: 1) : nil)
  }
}

/// Prompts that thin out from layer to layer.
@Suite struct ProfileTests {
  /// Every policy of the catalog.
  static let plainCases = InvariantTests.cases.filter { $0.seed < 24 }

  /// The same, with a profile at random.
  static let cases = plainCases.map { it -> InvariantTests.Case in
    var (it, random) = (it, it.random)
    let profile = TokenProfile.random(using: &random, layers: random.cost.layers)
    random.profile = profile
    random.cost.keys = profile.keys
    it.random = random
    return it
  }

  // MARK: Neutral settings

  /// Drops that keep every row, keys above every length, chunks that are kept whole: records of a plain run, to the last bit.
  @Test(arguments: plainCases) func aProfileOfOnesChangesNothing(_ it: InvariantTests.Case) throws {
    let plain = try it.run()
    let layers = it.random.cost.layers
    let all = TokenProfile.Drop(layer: layers / 2, kept: .share(KeptShare(1)))
    let half = TokenProfile.Drop(layer: layers / 3, kept: .share(KeptShare(0.5)))
    for profile in [
      TokenProfile(drops: [all]),
      TokenProfile(keys: KeySelection(keys: 1 << 20, block: 64, indexWidth: 128)),
      TokenProfile(drops: [half], first: 1 << 20, last: 1 << 20),
    ] {
      var other = it
      other.random.profile = profile
      other.random.cost.keys = profile.keys
      let history = try other.run()
      let iterations = firstDifference(
        history.iterations.map { "\($0)" }, plain.iterations.map { "\($0)" })
      #expect(iterations == nil)
      let requests = firstDifference(history.requests.map { "\($0)" }, plain.requests.map { "\($0)" })
      #expect(requests == nil)
    }
  }

  // MARK: Any policy

  @Test(arguments: cases) func fastForwardChangesNothing(_ it: InvariantTests.Case) throws {
    let fast = try it.random.run(it.policy.makeScheduler())
    let exact = try it.random.run(it.policy.makeScheduler(), fastForwards: false)
    let iterations = firstDifference(fast.iterations.map { "\($0)" }, exact.iterations.map { "\($0)" })
    #expect(iterations == nil)
    let requests = firstDifference(fast.requests.map { "\($0)" }, exact.requests.map { "\($0)" })
    #expect(requests == nil)
  }

  @Test(arguments: cases) func tokensMemoryAndSharesAddUp(_ it: InvariantTests.Case) throws {
    let witness = Witness(it.policy.makeScheduler())
    let history = try it.random.run(witness)
    let faults = witness.testimony.faults
    #expect(faults == [])
    let used = history.iterations.map { Int($0.kvBlocksUsed) }
    #expect(used.max() ?? 0 <= it.random.cost.kvBlocks)
    let joules = (
      history.requests.reduce(0) { $0 + $1.joules }, history.iterations.reduce(0) { $0 + $1.joules }
    )
    #expect(isClose(joules.0, joules.1), "\(joules)")
  }
}
