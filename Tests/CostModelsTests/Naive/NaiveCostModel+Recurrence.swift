import Systems

extension NaiveCostModel {
  /// The convolution and one step of the recurrence for each sequence.
  ///
  /// The rows of a sequence are its next token and drafts. What it keeps is read once; a row leaves it changed, and all that
  /// rows leave is written, since any of them may be the last that is accepted.
  func recurrence(decodes sequences: Int, width: Int) -> [Launch] {
    guard sequences > 0 else { return [] }
    let rows = sequences * width
    // Three of the last channels are read, and those behind each row written: windows of three that overlap.
    let kept = sequences * 3 + sequences * (2 + width)
    let d = shard.recurrenceDimensions
    let state = 4 * d[1] * d[2] * d[3]
    return [
      launch(
        "conv_decode", sequences: sequences, tokens: rows, kvBytes: 2 * kept * shard.channels,
        activationBytes: 4 * rows * shard.channels),
      launch(
        "core_decode", sequences: sequences, tokens: rows, kvBytes: (sequences + rows) * state,
        activationBytes: 2 * rows * (shard.channels + shard.recurrenceOutputs),
        flops: 6 * rows * d[1] * d[2] * d[3]),
    ]
  }

  /// The convolution over prompts, and the recurrence chunk by chunk.
  func recurrence(segments: [Step.Tile]) -> [Launch] {
    guard !segments.isEmpty else { return [] }
    let tokens = segments.reduce(0) { $0 + $1.tokens }
    let d = shard.recurrenceDimensions
    let chunks = segments.map { Double(($0.tokens + 63) / 64) }
    // A thread block walks over the chunks of one sequence and value head.
    let waves = (Double(segments.count * d[1]) / calibration.multiprocessors).rounded(.up)
    let mean = chunks.reduce(0, +) / Double(segments.count)
    return [
      launch(
        "conv_prefill", sequences: segments.count, tokens: tokens, kvBytes: 0,
        activationBytes: 4 * tokens * shard.channels),
      launch(
        "core_prefill", sequences: segments.count, tokens: tokens,
        kvBytes: 2 * segments.count * 4 * d[1] * d[2] * d[3],
        activationBytes: 2 * tokens * (shard.channels + shard.recurrenceOutputs),
        flops: 6 * tokens * d[1] * d[2] * d[3], chunks: max(chunks.max() ?? 0, waves * mean), waves: waves),
    ]
  }

  private func launch(
    _ stage: String, sequences: Int, tokens: Int, kvBytes: Int, activationBytes: Int, flops: Int = 0,
    chunks: Double = 0, waves: Double = 0
  ) -> Launch {
    let fit = calibration.fit("gated_delta", stage, shard.recurrenceDimensions)
    let perByte = 1 / (calibration.memoryBandwidth * calibration.memoryEfficiency)
    let c = fit?.values ?? [4e-6, perByte, 3e-6, 0, perByte]
    let bytes = Double(kvBytes + activationBytes)
    // Prompts stream through what the kernel before wrote, and find it in the cache if it fits.
    let isCached = stage.hasSuffix("prefill") && bytes <= calibration.l2Bytes
    let seconds = c[0] + (isCached ? c[4] : c[1]) * bytes + c[2] * chunks + c[3] * waves
    return Launch(
      kernel: "recurrence", seconds: seconds * engine.kernelScale.other, flops: Double(flops),
      kvBytes: Double(kvBytes), activationBytes: Double(activationBytes),
      isExtrapolated: fit?.measured[0].contains(Double(sequences)) != true
        || fit?.measured[1].contains(Double(tokens)) != true)
  }
}
