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
      rowKernels.forEachBefore(rowsBesideLayers(entering)) { launch += $1 }
      beforePrices.learn(entering, launch)
    }
    if !afterPrices.knows(leaving) {
      var launch = Launch()
      rowKernels.forEachAfter(rowsBesideLayers(leaving)) { launch += $1 }
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

  /// What the kernels before and after the layers run on: no padding.
  func rowsBesideLayers(_ rows: Int) -> LaunchRows {
    LaunchRows(
      rows: rows, computed: rows, isInGraph: graphs.padded(rows: rows, carriesPrefill: false).inGraph)
  }

  /// The kernels of a layer whose cost depends on the rows alone, and on whether some of them are prefill.
  func layerPrice(rows: Int, carriesPrefill: Bool, kind: Int) -> LayerPrice {
    var price = LayerPrice()
    let launch = graphs.launchRows(rows, carriesPrefill: carriesPrefill)
    rowKernels.forEachInLayer(kind: kind, launch) { price.launch += $1 }
    price.computed = launch.computed
    price.issue = host.launch(inGraph: launch.isInGraph, launches: rowKernels.launches[kind])
    return price
  }

  /// A layer that decodes so many rows and does nothing else, attention aside.
  private func decodePrice(_ batch: Int, kind: Int) -> DecodePrice {
    let fixed = layerPrice(rows: batch, carriesPrefill: false, kind: kind)
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
