import Serving
import Testing

/// ARKV's numbers of entries, by closed forms.
@Suite struct RetentionTests {
  @Test(
    "a prompt of 8,192 loses the published shares",
    arguments: [(512, 0.94), (1024, 0.87), (2048, 0.75)])
  func evictedShare(budget: Int, share: Double) {
    let found = Retention(budget: budget).evictedShare(ofPrompt: 8192)
    #expect(found == 1 - Double(budget) / 8192)
    #expect((found - share).magnitude < 0.01)
    #expect(Retention(budget: budget).evictedShare(ofPrompt: budget) == 0)
    #expect(Retention(budget: budget).entries(ofPrompt: 8192) == budget)
  }

  @Test(
    "the closed form is what adding and evicting comes to",
    arguments: [(2, 0), (5, 4), (33, 32), (64, 32), (100, 10), (2048, 32)], [1, 3, 64, 90, 5000])
  func sawTooth(size: (budget: Int, window: Int), prompt: Int) {
    let rule = Retention(budget: size.budget, window: size.window)
    var entries = min(prompt, size.budget)
    for decoded in 0..<3 * size.budget {
      #expect(rule.entries(ofPrompt: prompt, decoded: decoded) == entries)
      #expect(entries <= size.budget)
      entries += 1
      if entries > size.budget { entries = size.window + (entries - size.window) * 3 / 4 }
    }
  }

  @Test("it moves between three quarters of the budget and the whole of it, in a quarter of it as many steps")
  func period() {
    let rule = Retention(budget: 2048)
    #expect(rule.kept == 32 + 2017 * 3 / 4)
    #expect(rule.evicted == 505)
    let entries = (0..<4000).map { rule.entries(ofPrompt: 9000, decoded: $0) }
    #expect(entries.max() == 2048 && entries.dropFirst().min() == 1544)
    let mean = Double(entries.reduce(0, +)) / 4000
    #expect((mean / 2048 - 0.876).magnitude < 0.005)
  }

  @Test("what is in 8 bits is a share of what is kept, and none of the window")
  func narrow() {
    #expect(Retention(budget: 2048, narrowShare: 0.2).narrow == 308)
    #expect(Retention(budget: 2048, narrowShare: 1).narrow == 1544 - 32)
    #expect(Retention(budget: 2048).narrow == 0)
  }
}
