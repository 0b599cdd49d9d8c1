import CostModels
import Serving
import Testing

@Suite struct IterationLawTests {
  static let law = IterationLaw(
    name: "toy", source: "made up", prefill: [10, 0.1, 1e-4], decode: [20, 1e-3, 0.5],
    largeDecode: [5, 2e-3, 1],
    largeBatch: 4, prefillExtra: 3, decodeExtra: 2, perToken: 0.01)

  func seconds(_ tiles: [Tile], decode: DecodeLoad = DecodeLoad()) -> Seconds {
    let load = StepLoad(decode: decode, tiles: tiles, layers: 8, finishing: 0)
    var (cost, ledger) = (StepCost(), KernelLedger())
    LawCostModel(Self.law, layers: 8).price(load, into: &cost, ledger: &ledger)
    return cost.kernelSeconds
  }

  func tile(_ slot: Int, _ tokens: Range<Int>, layers: Range<Int> = 0..<8) -> Tile {
    Tile(sequence: Slot(slot), tokens: tokens, layers: layers)
  }

  /// Two prompts of 100 and 200: 10 + 3 + 0.11 x 300 + 1e-4 x 50,000 ms.
  @Test func prefillIsTheLaw() {
    #expect(abs(seconds([tile(0, 0..<100), tile(1, 0..<200)]) - 0.051) < 1e-12)
  }

  /// Three sequences: 20 + 2 + 0.011 x 900 + 1.5; four: the law of large batches.
  @Test func decodingIsTheLawOfItsBatch() {
    #expect(abs(seconds([], decode: DecodeLoad(sequences: 3, context: 900)) - 0.0334) < 1e-12)
    #expect(
      abs(seconds([], decode: DecodeLoad(sequences: 4, context: 900)) - (5 + 2 + 0.012 * 900 + 4) * 1e-3)
        < 1e-12)
  }

  /// Chunks add up to the whole prompt, but for what each iteration costs anyway; groups of layers to exactly that.
  @Test func partsAddUp() {
    let whole = seconds([tile(0, 0..<300)])
    let chunks = seconds([tile(0, 0..<120)]) + seconds([tile(0, 120..<300)])
    #expect(abs(chunks - whole - 0.013) < 1e-12)
    let groups = [0..<2, 2..<5, 5..<8].reduce(0) { $0 + seconds([tile(0, 0..<300, layers: $1)]) }
    #expect(abs(groups - whole) < 1e-12)
    let decode = DecodeLoad(sequences: 2, context: 50)
    #expect(abs(seconds([tile(0, 0..<300)], decode: decode) - whole - seconds([], decode: decode)) < 1e-12)
  }

  @Test func aRunOfStepsIsItsSteps() {
    var run = DecodeRun()
    (run.decodes, run.context, run.count) = (3, 90, 5)
    LawCostModel(Self.law, layers: 8).price(&run)
    for step in 0..<5 {
      #expect(run.cost(ofStep: step).kernelSeconds == seconds([], decode: run.load(ofStep: step)))
    }
  }
}
