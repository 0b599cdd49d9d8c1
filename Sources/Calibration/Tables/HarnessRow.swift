import CostModels

/// One measurement of the project's own profiling harness.
struct HarnessRow: Sendable {
  let kernel: String
  let implementation: String
  let model: String
  let type: String
  let tp: Int
  /// Rows, or tokens; columns of the result; columns of the left operand.
  let m, n, k: Int
  /// Sequences, queries of each, and keys of each, the queries' own among them.
  let batch, queries, keys: Int
  /// Heads of an attention kernel.
  let attentionHeads: AttentionHeads
  let experts, active, topK: Int
  let skew: String
  let bytes: Double
  /// The time of a launch in a short burst; a long one runs into the power limit.
  let seconds: Double

  /// The rows of a table.
  static func rows(of table: KernelTable) throws(CalibrationError) -> [HarnessRow] {
    let kernels = try table.texts("kernel")
    let implementations = try table.texts("impl")
    let models = try table.texts("model")
    let types = try table.texts("dtype")
    let skews = try table.texts("skew")
    var integers: [[Int]] = []
    for column in [
      "tp", "m", "n", "k", "batch", "q_len", "kv_len", "experts", "active", "topk", "heads", "kv_heads",
      "head_dim", "window",
    ] {
      integers.append(try table.integers(column))
    }
    let bytes = try table.numbers("bytes")
    let seconds = try table.seconds("burst_us")
    for i in 0..<table.count where kernels[i].hasSuffix("_attention") {
      let (queries, keys, heads, kvHeads) = (integers[5][i], integers[6][i], integers[10][i], integers[11][i])
      guard keys >= queries, queries > 0, kvHeads > 0, heads % kvHeads == 0 else {
        let problem =
          "q_len \(queries), kv_len \(keys), heads \(heads), kv_heads \(kvHeads): expected at least "
          + "as many keys as queries, and a multiple of the KV heads"
        throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
    }
    return (0..<table.count).map { i in
      let value = integers.map { $0[i] }
      return HarnessRow(
        kernel: kernels[i], implementation: implementations[i], model: models[i], type: types[i],
        tp: value[0],
        m: value[1], n: value[2], k: value[3], batch: value[4], queries: value[5], keys: value[6],
        attentionHeads: AttentionHeads(dimensions: Array(value[10...13])), experts: value[7],
        active: value[8], topK: value[9], skew: skews[i],
        bytes: bytes[i], seconds: seconds[i])
    }
  }
}
