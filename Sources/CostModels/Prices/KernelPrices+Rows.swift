import Serving
import Systems

extension KernelPrices {
  /// Makes sure that the price of a decode step of so many rows is known.
  mutating func learnDecodePrice(_ batch: Int) {
    for kind in 0..<kinds where !decodePrices[kind].knows(batch) {
      decodePrices[kind].learn(batch, decodePrice(batch, kind: kind))
    }
  }

  /// Makes sure that the prices of the kernels before and after the layers are known, for their numbers of rows.
  mutating func learnPrices(before entering: Int, after leaving: Int) {
    if !beforePrices.knows(entering) {
      var launch = Launch()
      rowKernels.forEachBefore(rows: entering) { launch += $1 }
      beforePrices.learn(entering, launch)
    }
    if !afterPrices.knows(leaving) {
      var launch = Launch()
      rowKernels.forEachAfter(rows: leaving) { launch += $1 }
      afterPrices.learn(leaving, launch)
    }
  }

  /// Makes sure that the decode attention of so many sequences is known.
  mutating func learnAttentionLaws(_ batch: Int) {
    guard !attentionLaws.knows(batch) else { return }
    attentionLaws.learn(
      batch,
      DecodeAttentionLaws(
        full: attention.decodeLaw(batch: batch),
        windowed: windowedAttention.decodeLaw(batch: batch)))
  }

  /// The kernels of a layer whose cost depends on the rows alone.
  func layerPrice(rows: Int, kind: Int) -> LayerPrice {
    var price = LayerPrice()
    let (computed, inGraph) = graphs.padded(rows: rows)
    rowKernels.forEachInLayer(kind: kind, rows: rows, computed: computed) { price.launch += $1 }
    price.computed = computed
    price.issue = host.launch(inGraph: inGraph, launches: rowKernels.launches[kind])
    return price
  }

  /// A layer that decodes so many rows and does nothing else, attention aside.
  private func decodePrice(_ batch: Int, kind: Int) -> DecodePrice {
    let fixed = layerPrice(rows: batch, kind: kind)
    var price = DecodePrice()
    price.batch = batch
    price.launch = fixed.launch
    price.issue = fixed.issue
    if let side, kindHasSide[kind] {
      price.side = side.decode(rows: batch, width: width)
      price.launch += price.side
    }
    if let experts, kindHasExperts[kind], let routing = routing?.law {
      price.distinct = routing.distinct(layers: 0..<1, decodes: batch)
      price.experts = experts.launch(rows: fixed.computed, active: price.distinct, carriesPrefill: false)
      price.launch += price.experts
    }
    return price
  }
}
