import CostModels
import Systems

extension KernelMeasurements {
  /// Reads a table of the project's own profiling harness: all kernels in one file, told apart by `kernel`.
  ///
  /// `Profiles/harness/README.md` says what the columns mean. Where a kernel has several implementations, the
  /// fastest for the shape counts, as in a tuned engine, but attention counts only with a page table. A layer of
  /// experts is put together of its kernels: permutation, gate and up, activation, down, combination.
  mutating func read(harness whole: KernelTable) throws(CalibrationError) {
    let names = try whole.texts("kernel")
    let table = whole.keeping { names[$0] != "idle" }
    if let measured = try EnergyWindow.windows(of: whole) {
      energy += measured.windows
      powerLimit = measured.limit
    }
    let rows = try HarnessRow.rows(of: table)
    readMatrixProducts(rows)
    readAttention(rows)
    readElementwise(rows)
    readExperts(rows)
    for row in rows where row.kernel == "all_reduce" {
      allReduce.append(AllReduce(implementation: .nccl, gpus: row.tp, bytes: row.bytes, seconds: row.seconds))
    }
  }

  private mutating func readMatrixProducts(_ rows: [HarnessRow]) {
    let products = rows.filter { $0.kernel == "lm_head" || $0.kernel.hasSuffix("_gemm") }
    // Models share shapes: one measurement of each.
    for (shape, same) in products.grouped(
      by: { [$0.n, $0.k, $0.m] }, { $0.lexicographicallyPrecedes($1) })
    {
      guard let best = same.min(by: { $0.seconds < $1.seconds }) else { continue }
      gemm.append(GEMM(type: best.type, m: shape[2], n: shape[0], k: shape[1], seconds: best.seconds))
    }
  }

  private mutating func readAttention(_ rows: [HarnessRow]) {
    let attention = rows.filter { $0.kernel.hasSuffix("_attention") && $0.implementation == "cudnn_paged" }
    for row in attention {
      let heads = row.heads
      if row.kernel == "decode_attention" {
        decode.append(
          Decode(
            heads: heads[0], kvHeads: heads[1], headDim: heads[2], window: heads[3], batch: row.batch,
            context: row.keys, seconds: row.seconds))
      } else {
        prefill.append(
          Prefill(
            heads: heads[0], kvHeads: heads[1], headDim: heads[2], window: heads[3], batch: row.batch,
            tokens: row.queries, prefix: row.keys - row.queries, seconds: row.seconds))
      }
    }
  }

  private mutating func readElementwise(_ rows: [HarnessRow]) {
    let kernels: Set = [
      "embedding", "rms_norm", "qk_norm_rope_kv", "router_topk", "permute", "silu_mul", "combine", "sampling",
    ]
    for row in rows where kernels.contains(row.kernel) && row.bytes > 0 {
      elementwise.append(Elementwise(kernel: row.kernel, bytes: row.bytes, seconds: row.seconds))
    }
  }

  private mutating func readExperts(_ rows: [HarnessRow]) {
    /// The time of a kernel between the two products, by its own fit to all sizes that were measured.
    func streaming(_ kernel: String, bytes: Double) -> Double {
      let samples = elementwise.filter { $0.kernel == kernel }.map {
        RelativeFit.Sample(
          features: SIMD8(1, $0.bytes, 0, 0, 0, 0, 0, 0), seconds: $0.seconds, isHeldOut: false)
      }
      return samples.isEmpty ? 0 : RelativeFit(samples, count: 2).predict(SIMD8(1, bytes, 0, 0, 0, 0, 0, 0))
    }
    func key(_ row: HarnessRow) -> [String] {
      [row.model, row.type] + [row.tp, row.m, row.experts, row.topK, row.active].map(String.init) + [row.skew]
    }
    let downs = Dictionary(grouping: rows.filter { $0.kernel == "expert_down" }, by: key)
    let ups = rows.filter { $0.kernel == "expert_gate_up" }
      .grouped(by: key) { $0.lexicographicallyPrecedes($1) }
    for (key, tiles) in ups {
      guard let up = tiles.min(by: { $0.seconds < $1.seconds }),
        let down = downs[key]?.min(by: { $0.seconds < $1.seconds })
      else { continue }
      let choices = Double(up.m * up.topK)
      let hidden = Double(up.k)
      let intermediate = up.n / 2
      let between =
        streaming("permute", bytes: 4 * choices * hidden)
        + streaming("silu_mul", bytes: 6 * choices * Double(intermediate))
        + streaming("combine", bytes: 2 * (choices + Double(up.m)) * hidden)
      moe.append(
        MoE(
          type: up.type, hidden: up.k, intermediate: intermediate, topK: up.topK, experts: up.experts,
          tokens: up.m, active: Double(up.active), tiles: .zero, seconds: up.seconds + down.seconds + between)
      )
    }
  }
}
