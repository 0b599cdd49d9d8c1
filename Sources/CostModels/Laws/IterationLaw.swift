import Serving

/// How long iterations take by a law that others have fitted: a published system without its kernels.
///
/// For prompts of lengths l and their sum T, and for a batch of n sequences that attend to C entries together, in ms:
///
///     prefill = a + b T + c (sum of l^2) + extra + per token T
///     decode  = a + b C + c n            + extra + per token C      with other a, b, c from a batch size on
///
/// The six numbers are those of DistServe's public simulator (Zhong et al., OSDI 2024). A chunk bears what it adds to the
/// square, a group of layers its share of the whole, and an iteration that does both takes as long as both. Where a table says how long
/// the prefill of a prompt takes, it stands in place of the first line: a chunk then takes what it adds to the prompt up to there.
public struct IterationLaw: Sendable, Hashable, CustomStringConvertible {
  /// Its name.
  public var name: String
  /// Where the numbers are from.
  public var source: String
  /// The constant, what a token adds, and what its square adds, in milliseconds.
  public var prefill: [Double]
  /// The constant, what an entry of the context adds, and what a sequence adds, in milliseconds.
  public var decode: [Double]
  /// The same for large batches.
  public var largeDecode: [Double]
  /// Sequences from which on a batch is large.
  public var largeBatch: Int
  /// What is added to each prefill, in milliseconds.
  public var prefillExtra: Double
  /// What is added to each decode step, in milliseconds.
  public var decodeExtra: Double
  /// What is added for each token of prefill, and each entry of the context.
  public var perToken: Double
  /// Seconds of the prefill of a prompt by its length, in place of ``prefill``; `nil` where that says it.
  public var promptSeconds: LengthTable?
  /// KV bytes of a prompt by its length; `nil` where a model's do.
  public var promptBytes: LengthTable?

  /// Creates a law; each list has three numbers.
  public init(
    name: String, source: String, prefill: [Double], decode: [Double], largeDecode: [Double],
    largeBatch: Int = .max, prefillExtra: Double = 0, decodeExtra: Double = 0, perToken: Double = 0
  ) {
    precondition([prefill, decode, largeDecode].allSatisfy { $0.count == 3 }, "a law has three numbers")
    self.name = name
    self.source = source
    self.prefill = prefill
    self.decode = decode
    self.largeDecode = largeDecode
    self.largeBatch = largeBatch
    self.prefillExtra = prefillExtra
    self.decodeExtra = decodeExtra
    self.perToken = perToken
  }

  /// The numbers, as they tell laws apart.
  public var description: String {
    "\(name) \(prefill) \(decode) \(largeDecode) \(largeBatch) \(prefillExtra) \(decodeExtra) \(perToken)"
      + (promptSeconds.map { " \($0.points)" } ?? "") + (promptBytes.map { " \($0.points)" } ?? "")
  }

  /// How long a decode step takes.
  public func decodeSeconds(sequences: Int, context: Tokens) -> Seconds {
    let law = sequences >= largeBatch ? largeDecode : decode
    return (law[0] + decodeExtra + (law[1] + perToken) * Double(context) + law[2] * Double(sequences)) * 1e-3
  }

  /// How long prefill takes.
  ///
  /// - Parameters:
  ///   - tokens: prompt tokens.
  ///   - squares: sum of the squares of the prompts' lengths, or what chunks add to them.
  /// - Returns: the time.
  public func prefillSeconds(tokens: Double, squares: Double) -> Seconds {
    (prefill[0] + prefillExtra + (prefill[1] + perToken) * tokens + prefill[2] * squares) * 1e-3
  }
}

/// Prices steps by an ``IterationLaw``; it knows nothing of energy.
public final class LawCostModel: CostModel {
  /// Number of transformer layers.
  public let layers: Int
  /// The law.
  public let law: IterationLaw
  /// None: the law has whole contexts.
  public var slidingWindow: Tokens? { nil }
  /// None.
  public var idleWatts: Double { 0 }

  /// Creates the model.
  public init(_ law: IterationLaw, layers: Int) {
    self.law = law
    self.layers = layers
  }

  /// By the law.
  public func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
    if let table = law.promptSeconds {
      cost.kernelSeconds = prefillSeconds(load, by: table)
      if load.decode.sequences > 0 {
        cost.kernelSeconds += law.decodeSeconds(
          sequences: load.decode.sequences, context: load.decode.context)
      }
      return
    }
    var (share, tokens, squares) = (0.0, 0.0, 0.0)
    for i in load.bands.indices where !load.bands[i].segments.isEmpty {
      let part = Double(load.bands[i].layers.count) / Double(layers)
      share += part
      for s in load.bands[i].segments {
        let (begin, count) = (Double(load.segments[s].prefix), Double(load.segments[s].tokens))
        tokens += part * count
        squares += part * count * (count + 2 * begin)
      }
    }
    if share > 0 {
      // What does not depend on tokens is paid once a layer.
      cost.kernelSeconds = law.prefillSeconds(tokens: tokens / share, squares: squares / share) * share
    }
    if load.decode.sequences > 0 {
      cost.kernelSeconds += law.decodeSeconds(sequences: load.decode.sequences, context: load.decode.context)
    }
  }

  /// What prompts take by a table, one after the other.
  private func prefillSeconds(_ load: borrowing StepLoad, by table: LengthTable) -> Seconds {
    var seconds = 0.0
    for i in load.bands.indices {
      let part = Double(load.bands[i].layers.count) / Double(layers)
      for s in load.bands[i].segments {
        let (begin, count) = (Double(load.segments[s].prefix), Double(load.segments[s].tokens))
        seconds += part * (table(begin + count) - (begin > 0 ? table(begin) : 0))
      }
    }
    return seconds
  }

  /// By the law, step by step.
  public func price(_ run: inout DecodeRun) {
    run.common = StepCost()
    for step in run.makeRoom() {
      let load = run.load(ofStep: step)
      run.steps[step].kernelSeconds = law.decodeSeconds(sequences: load.sequences, context: load.context)
    }
  }

  /// Nothing is counted.
  public func count(_ run: borrowing DecodeRun, steps: Range<Int>, ledger: inout KernelLedger) {}
}
