import Systems

extension NaiveCostModel {
  /// The convolution of Mamba-2 and one step of its recurrence for each sequence, as of another recurrence that was measured.
  ///
  /// What a sequence keeps is read once, and written behind each of its rows.
  func stateSpace(decodes sequences: Int, width: Int) -> [Launch] {
    guard sequences > 0 else { return [] }
    let rows = sequences * width
    // Three of the last rows of channels are read, and those behind each row written: windows of three that overlap.
    let kept = sequences * 3 + sequences * (2 + width)
    let numbers = shard.recurrenceOutputs * model.stateSize
    return [
      launch(
        "conv_decode", kvBytes: 2 * kept * shard.stateChannels,
        activationBytes: 4 * rows * shard.stateChannels),
      launch(
        "core_decode", kvBytes: 4 * numbers * (sequences + rows),
        activationBytes: 2 * rows * scanColumns, flops: 6 * numbers * rows),
    ]
  }

  /// The convolution over prompts, and the scan: four kernels over chunks, or two where each prompt is one chunk and its first.
  func stateSpace(segments: [Step.Tile]) -> [Launch] {
    guard !segments.isEmpty else { return [] }
    let tokens = segments.reduce(0) { $0 + $1.tokens }
    let numbers = shard.recurrenceOutputs * model.stateSize
    let size = model.stateChunk
    let chunks = segments.map { ($0.tokens + size - 1) / size }
    let isSingle = zip(chunks, segments).allSatisfy { $0 == 1 && $1.prefix == 0 }
    var scan = launch("scan", kvBytes: 0, activationBytes: 0)
    // A prompt that goes on reads its state; all leave one.
    scan.kvBytes = Double(4 * numbers * (segments.count + segments.count { $0.prefix > 0 }))
    scan.activationBytes = Double(2 * tokens * scanColumns)
    if model.isSelective {
      // One kernel: nine operations for each number of the states and token, one of them an exponential, of which a
      // multiprocessor makes eight a clock.
      scan.flops = Double(9 * numbers * tokens)
      let bandwidth = calibration.memoryBandwidth * calibration.memoryEfficiency
      let exponentials = 8 * 1.5e9 * calibration.multiprocessors
      let seconds =
        4e-6 + (scan.kvBytes + scan.activationBytes) / bandwidth + Double(numbers * tokens) / exponentials
      scan.seconds = seconds * engine.kernelScale.other
      return [
        launch("conv_prefill", kvBytes: 0, activationBytes: 4 * tokens * shard.stateChannels), scan,
      ]
    }
    let all = chunks.reduce(0, +)
    if !isSingle { scan.activationBytes += Double(16 * all * numbers) }
    let inside = size * (shard.stateGroups * model.stateSize + shard.recurrenceOutputs)
    scan.flops = Double(all * size * (inside + (isSingle ? 2 : 4) * numbers))
    let bandwidth = calibration.memoryBandwidth * calibration.memoryEfficiency
    let seconds =
      (isSingle ? 2 : 4) * 4e-6 + (scan.kvBytes + scan.activationBytes) / bandwidth
      + scan.flops / (0.15 * calibration.flops)
    scan.seconds = seconds * engine.kernelScale.other
    return [
      launch("conv_prefill", kvBytes: 0, activationBytes: 4 * tokens * shard.stateChannels), scan,
    ]
  }

  /// Numbers of a token that the scan reads and writes: what is projected and what comes out; of Mamba-1 time steps and
  /// inputs and outputs of states as well.
  private var scanColumns: Int {
    shard.stateInputs + shard.recurrenceOutputs
      + (model.isSelective ? shard.recurrenceOutputs + 2 * model.stateSize : 0)
  }

  private func launch(_ stage: String, kvBytes: Int, activationBytes: Int, flops: Int = 0) -> Launch {
    let perByte = 1 / (calibration.memoryBandwidth * calibration.memoryEfficiency)
    let c = calibration.fit("gated_delta", stage, [4, 8, 16, 32])?.values ?? [4e-6, perByte, 0, 0, perByte]
    let bytes = Double(kvBytes + activationBytes)
    let isCached = stage == "conv_prefill" && bytes <= calibration.l2Bytes
    let seconds = c[0] + (isCached ? c[4] : c[1]) * bytes
    return Launch(
      kernel: "recurrence", seconds: seconds * engine.kernelScale.other, flops: Double(flops),
      kvBytes: Double(kvBytes), activationBytes: Double(activationBytes), isExtrapolated: true)
  }
}
