import CostModels
import Support
import Systems

extension Calibration {
  /// A table of the kernels that a model launches on one GPU, and what each one's times rest on.
  ///
  /// - Parameter shard: What each GPU holds of the model.
  /// - Returns: The table, and a line that names the kernels that were not measured at their shape.
  public func explanation(of shard: ModelShard) -> String {
    let model = shard.model
    var rows = [["kernel", "shape", "fit", "measured", "median %", "P90 %", "sigma %"]]
    var missing: [String] = []
    func add(_ name: String, _ shape: String, _ fit: some KernelFit, _ measured: [(Range<Double>, String)]) {
      let ranges = measured.filter { !$0.0.isEmpty }.map { range, unit in
        "\(formatted(range.lowerBound, digits: 7))...\(formatted(range.upperBound, digits: 7)) \(unit)"
      }
      let errors = fit.heldOut.map { [formatted($0.median, digits: 2), formatted($0.p90, digits: 2)] }
      rows.append(
        [name, shape, fit.origin.rawValue, fit.origin == .measured ? ranges.joined(separator: ", ") : "-"]
          + (errors ?? ["-", "-"]) + [formatted(100 * fit.spread, digits: 2)])
      if fit.origin != .measured { missing.append("\(name) (\(fit.origin.rawValue))") }
    }
    func gemm(_ name: String, n: Int, k: Int) {
      let fit = self.gemm(n: n, k: k)
      add(name, "\(n) x \(k)", fit, [(fit.measuredRows, "rows")])
    }
    func elementwise(_ name: String) {
      let fit = self.elementwise(name)
      add(name, "", fit, [(fit.measuredBytes, "bytes")])
    }
    elementwise("embedding")
    elementwise("rms_norm")
    gemm("qkv_gemm", n: (shard.heads + 2 * shard.keyValueHeads) * model.headDim, k: model.hidden)
    elementwise("qk_norm_rope_kv")
    for window in Set(model.windows.map { $0 ?? 0 }).sorted() {
      let (heads, groups, width) = (shard.heads, shard.keyValueHeads, model.headDim)
      let shape = "\(heads) / \(groups) heads of \(width)" + (window > 0 ? ", window \(window)" : "")
      let prefill = prefillAttention(heads: heads, kvHeads: groups, headDim: width, window: window)
      add(
        "prefill_attention", shape, prefill,
        [
          (prefill.measuredBlocks, "blocks"), (prefill.measuredKeys, "keys"),
          (prefill.measuredPrefix, "prefix"),
        ])
      let decode = decodeAttention(heads: heads, kvHeads: groups, headDim: width, window: window)
      add(
        "decode_attention", shape, decode,
        [(decode.measuredBatch, "sequences"), (decode.measuredContext, "keys")])
    }
    gemm("o_gemm", n: model.hidden, k: shard.heads * model.headDim)
    if model.isMixtureOfExperts {
      gemm("router_gemm", n: model.experts, k: model.hidden)
      let fit = moe(
        hidden: model.hidden, intermediatePerGPU: shard.expertIntermediate, experts: model.experts,
        topK: model.topK, dtype: model.expertFormat == .mxfp4 ? .mxfp4 : .bf16)
      add(
        "expert_mlp",
        "\(model.experts) x \(model.hidden) x \(shard.expertIntermediate), top \(model.topK), "
          + model.expertFormat.rawValue, fit, [(fit.measuredRows, "rows")])
    } else {
      gemm("gate_up_gemm", n: 2 * shard.intermediate, k: model.hidden)
      elementwise("silu_mul")
      gemm("down_gemm", n: model.hidden, k: shard.intermediate)
    }
    gemm("lm_head", n: shard.vocabulary, k: model.hidden)
    elementwise("sampling")
    if shard.gpus > 1 {
      for implementation in AllReduceFit.Implementation.allCases {
        let fit = allReduce(implementation: implementation, gpus: shard.gpus)
        add("all_reduce, \(implementation)", "\(shard.gpus) GPUs", fit, [(fit.measuredBytes, "bytes")])
      }
    }
    let note = missing.isEmpty ? "all measured" : "not measured: \(missing.joined(separator: ", "))"
    return "\(model.name) on \(shard.gpus) x \(gpu), \(source)\n" + textTable(rows, right: 4..<7) + note
      + "\n"
  }
}
