import Serving
import Systems
import TestSupport
import Testing

@testable import CostModels

/// What ARKV's kernels move, by closed forms.
@Suite struct RetentionPricesTests {
  private let rule = Retention(budget: 64, window: 8, narrowShare: 0.25)
  /// Bytes of an entry of a layer of the toy model: 4 key-value heads of 64, 16 bits a number.
  private let entry = 2.0 * 2 * 4 * 64

  private func uses(_ load: StepLoad, _ statistics: KeptEntries.Statistics) throws -> [String: KernelUse] {
    let system = try ToySystem()
    let model = KernelCostModel(
      system: try system.served(), calibration: try system.calibration.read(), routing: nil,
      kept: KeptEntries(rule, statistics: statistics))
    var ledger = KernelLedger()
    var cost = StepCost()
    model.price(load, into: &cost, ledger: &ledger)
    return model.kernels(in: ledger).byName
  }

  @Test func decodeExpandsAndEvicts() throws {
    var load = StepLoad(decode: DecodeLoad(sequences: 5, context: 300), tiles: [], layers: 2, finishing: 0)
    load.retention.narrowed = 3
    load.retention.compacting = 2
    let uses = try uses(load, .secondPass)
    // 8 of 50 kept entries are the window, 12 are in 8 bits with two scales.
    #expect(rule.kept == 50 && rule.narrow == 12)
    let narrow = entry / 2 + 8
    #expect(uses["kv_expansion"]?.calls == 2)
    #expect(isClose(uses["kv_expansion"]?.bytes, 2 * 3 * 12 * (narrow + entry)))
    // Of 8 heads the probabilities of 65 entries are written and read.
    #expect(
      isClose(uses["kv_eviction"]?.bytes, 2 * 2 * (4 * 8 * 65 + 50 * entry + 38 * entry + 12 * narrow)))
    #expect(uses["kv_statistics"] == nil)
  }

  @Test func promptsPayForStatisticsInTheLayersOfTheirTiles() throws {
    let tile = Tile(sequence: Slot(0), tokens: 100..<300, layers: 1..<2)
    var load = StepLoad(decode: DecodeLoad(), tiles: [tile], layers: 2, finishing: 1)
    load.retention.evictingPrompts = 1
    let eager = try uses(load, .eager)
    #expect(eager["kv_statistics"]?.calls == 1)
    #expect(isClose(eager["kv_statistics"]?.bytes, 6 * 2 * 8 * 200 * 300))
    #expect(isClose(eager["kv_eviction"]?.bytes, 2 * 2 * 64 * entry))
    let again = try uses(load, .secondPass)
    #expect(again["kv_statistics"]?.seconds == again["prefill_attention"]?.seconds)
    #expect(again["kv_statistics"]?.flops == again["prefill_attention"]?.flops)
  }

  @Test("bytes of a layer are those of 16 bits, and of 8 bits with a scale for the key and one for the value")
  func bytes() throws {
    let shard = try shipped("llama-3.1-8b").shard(over: 1)
    // 8 key-value heads of 128.
    #expect(
      shard.bytesPerLayer(entries: 1000, narrow: 200) == 800 * 2 * 8 * 128 * 2 + 200 * (2 * 8 * 128 + 8))
  }
}
