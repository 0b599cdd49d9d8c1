/// How layers are shared out over the stages of a pipeline.
public enum PipelinePartition {
  /// The layers of each stage, as vLLM cuts them.
  ///
  /// All stages have the same number; of the layers that are left, one each goes to the stages from the last but one
  /// towards the first: the last one has the LM head.
  ///
  /// - Parameters:
  ///   - layers: layers of the model.
  ///   - stages: from 1 to the number of layers.
  /// - Returns: a range for each stage, in order.
  public static func layers(_ layers: Int, over stages: Int) -> [Range<Int>] {
    precondition((1...layers).contains(stages), "a stage has at least one layer")
    let (size, rest) = layers.quotientAndRemainder(dividingBy: stages)
    var begin = 0
    return (0..<stages).map { stage in
      let hasOneMore = stage < stages - 1 && stage >= stages - 1 - rest
      defer { begin += size + (hasOneMore ? 1 : 0) }
      return begin..<begin + size + (hasOneMore ? 1 : 0)
    }
  }
}

extension ModelDescription {
  /// The model with some of its layers alone.
  ///
  /// Embedding and LM head stay: ``ModelShard/stage(_:)`` says which stage holds them.
  func cut(to range: Range<Int>) -> ModelDescription {
    var copy = self
    copy.layers = range.count
    copy.hasDenseMLP = Array(hasDenseMLP[range])
    copy.isRecurrent = Array(isRecurrent[range])
    copy.hasMixer = Array(hasMixer[range])
    copy.hasFeedForward = Array(hasFeedForward[range])
    copy.windows = Array(windows[range])
    copy.denseWidths = denseWidths.map { Array($0[range]) }
    copy.wideRecurrences = wideRecurrences.filter(range.contains).map { $0 - range.lowerBound }
    return copy
  }
}

extension ModelShard {
  /// What one GPU of a stage of a pipeline holds: its layers, on the first stage the embedding, on the last one the LM head.
  ///
  /// - Throws: as ``ModelDescription/shard(over:expertRanks:dataParallel:)``.
  public func stage(_ range: Range<Int>) throws(DescriptionError) -> ModelShard {
    var stage = try model.cut(to: range).shard(
      over: gpus, expertRanks: expertRanks, dataParallel: dataParallel)
    stage.holdsEmbedding = range.lowerBound == 0
    stage.holdsHead = range.upperBound == model.layers
    return stage
  }
}
