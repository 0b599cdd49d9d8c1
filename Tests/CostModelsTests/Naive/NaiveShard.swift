/// What one GPU holds of a toy model, from the sizes in its `config.json` alone.
struct NaiveShard {
  let model: ToyModel
  let gpus: Int
  let expertRanks: Int
  /// Ranks of so many GPUs, which share the experts.
  let dataParallel: Int

  init(_ model: ToyModel, gpus: Int, expertRanks: Int = 1, dataParallel: Int = 1) {
    self.dataParallel = dataParallel
    self.model = model
    self.gpus = gpus
    self.expertRanks = expertRanks
  }

  /// Those of compressed attention are on every GPU.
  var heads: Int { model.isCompressed ? model.heads : model.heads / gpus }
  /// At least one: GPUs beyond their number hold copies.
  var keyValueHeads: Int { model.isCompressed ? model.keyValueHeads : max(1, model.keyValueHeads / gpus) }
  /// Numbers of queries and keys, which the convolutions of compressed attention pass over.
  var compressedChannels: Int { (heads + keyValueHeads) * model.headDim }
  /// Width of the dense MLP, or of one expert, which is whole where ranks share the experts out.
  var intermediate: Int {
    // Experts are spread over the GPUs of all ranks.
    model.intermediate * expertRanks / (model.experts > 0 ? gpus * dataParallel : gpus)
  }
  var vocabulary: Int { (model.vocabulary + gpus - 1) / gpus }
  /// Columns of the fused query, key and value projection.
  var projected: Int { (heads + 2 * keyValueHeads) * model.headDim }
  /// The shape by which a calibration knows the experts.
  var expertDimensions: [Int] { [expertHidden, expertWidth, model.experts, model.topK] }
  /// The width that experts see, which some kernels want in steps of 256.
  var expertHidden: Int {
    let hidden = model.expertLatent ?? model.hidden
    return model.isMarlin ? (hidden + 255) / 256 * 256 : hidden
  }
  /// The width of an expert, which some kernels want in steps of 128.
  var expertWidth: Int { model.isMarlin ? (intermediate + 127) / 128 * 128 : intermediate }

  /// Key heads, value heads, and their widths, of a recurrence: the shape by which a calibration knows it.
  var recurrenceDimensions: [Int] {
    [model.linearKeyHeads / gpus, model.linearValueHeads / gpus, model.linearKeyDim, model.linearValueDim]
  }
  /// Numbers of a recurrence's queries, keys and values, which its convolution passes over.
  var channels: Int {
    let d = recurrenceDimensions
    return d[0] * d[2] * 2 + d[1] * d[3]
  }
  /// Numbers of a recurrence's outputs, and of their gates.
  var recurrenceOutputs: Int {
    model.isSelective
      ? stateHeads
      : model.isStateSpace
        ? stateHeads * model.stateHeadDim : recurrenceDimensions[1] * recurrenceDimensions[3]
  }

  /// Heads of Mamba-2, or channels of Mamba-1, and groups of heads, at least one.
  var stateHeads: Int { (model.isSelective ? 2 * model.hidden : model.stateHeads) / gpus }
  var stateGroups: Int { max(1, model.stateGroups / gpus) }
  /// Numbers that its convolution passes over: heads, and inputs and outputs of the state of each group.
  ///
  /// Mamba-1 convolves its channels alone.
  var stateChannels: Int {
    recurrenceOutputs + (model.isSelective ? 0 : 2 * stateGroups * model.stateSize)
  }
  /// Numbers of its projection: those, a gate for each output and a time step for each head.
  ///
  /// Time steps of Mamba-1 are made later.
  var stateInputs: Int { stateChannels + recurrenceOutputs + (model.isSelective ? 0 : stateHeads) }
  /// What channels of Mamba-1 are projected to: what time steps are made of, and inputs and outputs of states.
  var stateSteps: Int { model.selectiveRank + 2 * model.stateSize }

  /// A dense matrix product of a row of k by k x n weights.
  struct Product {
    var name: String
    var n: Int
    var k: Int
    var hasBias = false
    /// Bytes of weights: two each.
    var weightBytes: Double { Double(2 * (n * k + (hasBias ? n : 0))) }
  }

  /// The matrix products that a layer does with all rows, in order.
  func layerProducts(_ layer: Int) -> [Product] {
    let h = model.hidden
    var products = [
      Product(name: "qkv_gemm", n: projected, k: h, hasBias: model.hasBias),
      Product(name: "o_gemm", n: h, k: heads * model.headDim, hasBias: model.hasBias),
    ]
    if model.isLatent {
      products = [
        // What queries pass through, the latent vector and the rotary key: on every GPU.
        Product(name: "latent_gemm", n: model.queryRank + model.latent + model.rope, k: h),
        Product(name: "q_gemm", n: heads * (model.nope + model.rope), k: model.queryRank),
        Product(name: "o_gemm", n: h, k: heads * model.value),
      ]
    }
    if model.hasIndexer {
      // Queries of all heads; the key, and a weight of each head: on every GPU whole.
      products.append(
        Product(name: "index_gemm", n: model.indexHeads * model.indexDim, k: model.queryRank))
      products.append(Product(name: "index_gemm", n: model.indexDim + model.indexHeads, k: h))
    }
    if model.isStateSpace, model.isRecurrent(layer) {
      products = [
        Product(name: "recurrence_gemm", n: stateInputs, k: h),
        Product(name: "o_gemm", n: h, k: recurrenceOutputs),
      ]
      if model.isSelective {
        products += [
          Product(name: "recurrence_gemm", n: stateSteps, k: recurrenceOutputs),
          Product(name: "recurrence_gemm", n: recurrenceOutputs, k: model.selectiveRank),
        ]
      }
    } else if model.isRecurrent(layer) {
      products = [
        Product(name: "recurrence_gemm", n: channels + recurrenceOutputs, k: h),
        // Two numbers of each value head: a gate and a decay.
        Product(name: "recurrence_gemm", n: 2 * recurrenceDimensions[1], k: h),
        Product(name: "o_gemm", n: h, k: recurrenceOutputs),
      ]
    }
    if !model.hasMixer(layer) { products = [] }
    guard model.hasMLP(layer) else { return products }
    if let latent = model.expertLatent {
      products += [(latent, h), (h, latent)].map { Product(name: "expert_latent_gemm", n: $0, k: $1) }
    }
    guard model.experts > 0 else {
      return products + mlp("", width: intermediate)
    }
    guard model.hasExperts(layer) else { return products + mlp("", width: model.denseWidth / gpus) }
    if model.isCompressed {
      // Two taps of a square matrix for each head; and an MLP that also knows the choice of no expert.
      let (r, d) = (model.routerWidth, model.headDim)
      products.append(Product(name: "convolution_gemm", n: compressedChannels, k: 2 * d))
      for (n, k) in [(r, h), (r, r), (r, r), (model.experts + 1, r)] {
        products.append(Product(name: "router_gemm", n: n, k: k))
      }
      return products
    }
    products.append(Product(name: "router_gemm", n: model.experts, k: h, hasBias: model.hasBias))
    return products + (model.sharedWidth > 0 ? mlp("shared_", width: model.sharedWidth / gpus) : [])
  }

  private func mlp(_ prefix: String, width: Int) -> [Product] {
    [
      Product(name: prefix + "gate_up_gemm", n: model.isHalved ? width : 2 * width, k: model.hidden),
      Product(name: prefix + "down_gemm", n: model.hidden, k: width),
    ]
  }

  /// Latent vectors to the keys and values of all heads.
  var expansion: Product {
    Product(name: "latent_products", n: heads * (model.nope + model.value), k: model.latent)
  }

  /// Queries into the latent space, and outputs back: as many weights as each head has in its part of the expansion.
  var absorption: [Product] {
    [model.nope, model.value].map { Product(name: "latent_products", n: heads * model.latent, k: $0) }
  }

  /// The product with the vocabulary.
  var head: Product { Product(name: "lm_head", n: vocabulary, k: model.hidden) }

  /// All matrix products.
  var products: [Product] {
    (0..<model.layers).flatMap { layerProducts($0) } + [head]
      + (model.isLatent ? [expansion] + absorption : [])
  }

  /// Bytes of one expert's three matrices, or two where they have no gate, without biases, each row's scales counted whole.
  var bytesPerExpert: Double {
    func bytes(_ rows: Int, _ columns: Int) -> Int {
      model.isMXFP4 ? rows * ((columns + 1) / 2 + (columns + 31) / 32) : 2 * rows * columns
    }
    let into = model.isHalved ? expertWidth : 2 * expertWidth
    return Double(bytes(into, expertHidden) + bytes(expertHidden, expertWidth))
  }
}
