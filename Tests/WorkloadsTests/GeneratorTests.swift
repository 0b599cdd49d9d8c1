import Serving
import Statistics
import Testing

@testable import Workloads

/// Generated prompts that share their beginnings: what an endless cache finds of them, counted by hand.
@Suite struct GeneratorTests {
  func trace(_ generated: GeneratedTrace) throws -> Workload {
    let text = generated.rows.indices.map { generated.line(ofRow: $0) }.joined(separator: "\n")
    let trace = try Trace(parsing: text, file: "g.jsonl")
    return Workload(
      name: "g", source: .trace(trace), arrivals: .trace(timeScale: 1), count: trace.rows.count, seed: 0)
  }

  /// Equal lengths, whole blocks: turn k has S + k u + (k - 1) o tokens, of which all but the last answer and the new
  /// words were there before; the first session computes the system prompt, too.
  @Test func sessionsRepeatAllThatWasSaidBefore() throws {
    var generator = SessionGenerator()
    (generator.system, generator.input, generator.output) = (640, 320, 128)
    (generator.sigma, generator.turns, generator.blockTokens) = (0, 4, 64)
    let generated = generator.trace(count: 3000, seed: 1)
    #expect(generated.rows.count == 3000 && generated.rows[0].arrival == 0)
    var (repeated, turns) = (0, 0)
    for row in generated.rows {
      let turn = (row.promptTokens - 640 - 320) / 448 + 1
      #expect(row.promptTokens == 640 + turn * 320 + (turn - 1) * 128)
      repeated += turn == 1 ? 640 : row.promptTokens - 448
      turns = max(turns, turn)
    }
    #expect(turns > 10)
    #expect(generated.repeatedTokens == repeated - 640)
    let workload = try trace(generated)
    #expect(workload.repeatedTokens == repeated - 640)
    #expect(Array(workload).map(\.promptTokens) == generated.rows.map(\.promptTokens))
  }

  /// Each turn has one more with probability 1 - 1 / T, so that turns have T in the mean, and sessions begin at rate / T.
  @Test func sessionsHaveTheirTurnsAndTheirRate() throws {
    var generator = SessionGenerator()
    (generator.rate, generator.turns, generator.think, generator.longest) = (10, 4, 5, 1_000_000)
    generator.sigma = 0
    let generated = generator.trace(count: 40_000, seed: 2)
    let firsts = Set(generated.rows.map { $0.blocks[512 / 64] }).count
    #expect(abs(40_000 / Double(firsts) - 4) < 0.15)
    let half = generated.rows[20_000...]
    let rate = 20_000 / ((half.last?.arrival ?? 0) - (half.first?.arrival ?? 0))
    #expect(abs(rate / 10 - 1) < 0.05)
    #expect(zip(generated.rows, generated.rows.dropFirst()).allSatisfy { $0.arrival <= $1.arrival })
  }

  /// The usual prompt: 512 tokens of the system's, four documents of 512, and a question of 100 in the mean.
  @Test func theUsualPromptHasFourDocuments() {
    let prompts = PrefixGenerator().trace(count: 2000, seed: 1).rows.map(\.promptTokens)
    let questions = prompts.map { $0 - 5 * 512 }
    #expect((questions.min() ?? 0) > 0)
    #expect((90...110).contains(questions.reduce(0, +) / questions.count))
  }

  /// One document a prompt: all but the first system prompt, and all but the first use of each document.
  @Test func documentsRepeatAfterTheirFirstUse() throws {
    var generator = PrefixGenerator()
    (generator.system, generator.document, generator.documents, generator.library) = (128, 256, 1, 50)
    let generated = generator.trace(count: 2000, seed: 3)
    let used = Set(generated.rows.map { $0.blocks[2] }).count
    #expect(used > 40)
    #expect(generated.repeatedTokens == 1999 * 128 + (2000 - used) * 256)
    #expect(try trace(generated).repeatedTokens == generated.repeatedTokens)
  }

  /// The k-th of them is chosen as often as 1 / k says.
  @Test func documentsFollowZipfsLaw() {
    var generator = PrefixGenerator()
    (generator.documents, generator.library, generator.system) = (1, 20, 0)
    let generated = generator.trace(count: 50_000, seed: 4)
    var uses: [Int: Int] = [:]
    for row in generated.rows { uses[row.blocks[0], default: 0] += 1 }
    let harmonic = (1...20).reduce(0.0) { $0 + 1 / Double($1) }
    let most = uses.values.sorted(by: >)
    for rank in 1...5 {
      let expected = 50_000 / Double(rank) / harmonic
      #expect(abs(Double(most[rank - 1]) / expected - 1) < 0.05)
    }
  }

  /// Several documents repeat as far as an earlier prompt has the same ones in the same order; sorted they do so more often.
  @Test func orderedDocumentsRepeatMore() {
    var generator = PrefixGenerator()
    (generator.documents, generator.library, generator.document, generator.system) = (3, 12, 64, 0)
    var found: [Bool: Int] = [:]
    for isSorted in [false, true] {
      generator.isSorted = isSorted
      let generated = generator.trace(count: 1000, seed: 5)
      var (seen, repeated) = (Set<[Int]>(), 0)
      for row in generated.rows {
        for depth in 1...3 where !seen.insert(Array(row.blocks[..<depth])).inserted { repeated += 64 }
      }
      #expect(generated.repeatedTokens == repeated)
      found[isSorted] = repeated
    }
    #expect((found[true] ?? 0) > (found[false] ?? 0) * 11 / 10)
  }
}
