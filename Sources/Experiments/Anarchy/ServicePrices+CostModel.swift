import Policies
import Serving

extension ServicePrices {
  /// Straight lines through prices of a cost model: a prompt of 2,048 tokens, and decode steps of 1 and of 65 sequences with
  /// 2,048 entries each.
  init(_ costModel: any CostModel) {
    let (length, many) = (2048, 64)
    let prompt = Tile(sequence: Slot(0), tokens: 0..<length, layers: 0..<costModel.layers)
    func seconds(_ sequences: Int, _ tiles: [Tile]) -> Seconds {
      let load = StepLoad(
        decode: DecodeLoad(sequences: sequences, context: sequences * length), tiles: tiles,
        layers: costModel.layers, finishing: tiles.count)
      var (cost, ledger) = (StepCost(), KernelLedger())
      costModel.price(load, into: &cost, ledger: &ledger)
      return cost.seconds
    }
    let step = seconds(1, [])
    self.init(
      promptToken: seconds(0, [prompt]) / Double(length), step: step,
      sequence: max(0, seconds(1 + many, []) - step) / Double(many))
  }
}
