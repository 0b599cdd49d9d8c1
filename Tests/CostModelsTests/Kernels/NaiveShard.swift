/// What one GPU holds of a toy model, from the sizes in its `config.json` alone.
struct NaiveShard {
  let model: ToyModel
  let gpus: Int

  init(_ model: ToyModel, gpus: Int) {
    self.model = model
    self.gpus = gpus
  }

  var heads: Int { model.heads / gpus }
  /// At least one: GPUs beyond their number hold copies.
  var keyValueHeads: Int { max(1, model.keyValueHeads / gpus) }
  /// Width of the dense MLP, or of one expert.
  var intermediate: Int { model.intermediate / gpus }
  var vocabulary: Int { (model.vocabulary + gpus - 1) / gpus }
  /// Columns of the fused query, key and value projection.
  var projected: Int { (heads + 2 * keyValueHeads) * model.headDim }
  /// The shape by which a calibration knows the experts.
  var expertDimensions: [Int] { [model.hidden, intermediate, model.experts, model.topK] }

  /// A dense matrix product of a row of k by k x n weights.
  struct Product {
    var name: String
    var n: Int
    var k: Int
    var hasBias = false
    /// Bytes of weights: two each.
    var weightBytes: Double { Double(2 * (n * k + (hasBias ? n : 0))) }
  }

  /// The matrix products of a layer, in order.
  var layerProducts: [Product] {
    let h = model.hidden
    let attention = [
      Product(name: "qkv_gemm", n: projected, k: h, hasBias: model.hasBias),
      Product(name: "o_gemm", n: h, k: heads * model.headDim, hasBias: model.hasBias),
    ]
    guard model.experts == 0 else {
      return attention + [Product(name: "router_gemm", n: model.experts, k: h, hasBias: model.hasBias)]
    }
    return attention + [
      Product(name: "gate_up_gemm", n: 2 * intermediate, k: h),
      Product(name: "down_gemm", n: h, k: intermediate),
    ]
  }

  /// The product with the vocabulary.
  var head: Product { Product(name: "lm_head", n: vocabulary, k: model.hidden) }

  /// All matrix products.
  var products: [Product] { layerProducts + [head] }

  /// Bytes of one expert's three matrices, without biases, each row's scales counted whole.
  var bytesPerExpert: Double {
    func bytes(_ rows: Int, _ columns: Int) -> Int {
      model.isMXFP4 ? rows * ((columns + 1) / 2 + (columns + 31) / 32) : 2 * rows * columns
    }
    return Double(bytes(2 * intermediate, model.hidden) + bytes(model.hidden, intermediate))
  }
}
