import CostModels
import Serving
import Systems

/// One whole iteration as the profiling harness measured it: what it worked on, and what it took.
///
/// The columns are those of `Profiles/harness/README.md`.
public struct MeasuredIteration: Sendable, Hashable {
  /// What kind of prefill there is.
  public enum Kind: String, Sendable, CaseIterable {
    /// None.
    case decode
    /// It passes all layers.
    case chunked
    /// It passes a group of layers.
    case layered
  }

  /// The line of the file, from 1.
  public var line: Int
  /// What kind of prefill there is.
  public var kind: Kind
  /// The model's name.
  public var model: String
  /// GPUs that the shape is one's share of.
  public var tensorParallel: Int
  /// Sequences that take a decode step.
  public var decodes: Int
  /// Keys that each of them attends to, its own among them.
  public var decodeContext: Tokens
  /// Tokens of one prompt that pass ``layers``, and those of it that were there before.
  public var prefill: PrefillSegment
  /// Layers that carry prefill; empty for decode alone.
  public var prefillLayers: Range<Int>
  /// Layers that were run.
  public var layers: Int
  /// Distinct experts read, summed over the layers; 0 for a dense model.
  public var experts: Double
  /// How long its kernels took, in a short burst.
  public var seconds: Seconds
  /// Energy of the GPU in a steady load, idle power included; `nil` where it was not measured.
  public var joules: Joules?
  /// Pause between an iteration and the next in that load, in which ``joules`` include the idle power.
  ///
  /// What the power limit adds is none.
  public var pause: Seconds = 0

  /// Reads a table of iterations.
  ///
  /// - Returns: its rows, and the GPU that its `# gpu:` line names as the driver does, if it has one.
  /// - Throws: ``CalibrationError`` that names the file, the line and what is wrong.
  public static func read(path: String) throws(CalibrationError) -> (rows: [MeasuredIteration], gpu: String?)
  {
    let table = try KernelTable(path: path)
    return (try rows(of: table), table.value("gpu"))
  }

  /// Checks the rows of a table.
  static func rows(of table: KernelTable) throws(CalibrationError) -> [MeasuredIteration] {
    let kinds = try table.texts("kind")
    let models = try table.texts("model")
    let most = 1 << 24
    let tp = try table.integers("tp", in: 1...1024)
    let decodes = try table.integers("decode_batch", in: 0...65_536)
    let contexts = try table.integers("decode_context", in: 0...most)
    let tokens = try table.integers("prefill_tokens", in: 0...most)
    let prefixes = try table.integers("prefill_prefix", in: 0...most)
    let begins = try table.integers("layer_begin")
    let ends = try table.integers("layer_end")
    let layers = try table.integers("layers", in: 1...10_000)
    let experts = try table.numbers("experts")
    let seconds = try table.numbers("seconds")
    let joules = try table.texts("joules")
    let sustained = try table.optionalNumbers("sustained_s")
    let clocks = try table.optionalNumbers("sm_mhz").map { $0 ?? 0 }
    let highest = clocks.max() ?? 0
    if let row = clocks.firstIndex(where: { $0 > 10_000 }) {
      let problem = "sm_mhz is \(clocks[row]), expected at most 10000"
      throw .malformed(path: table.path, line: table.line(ofRow: row), problem: problem)
    }
    var rows: [MeasuredIteration] = []
    for i in 0..<table.count {
      func failure(_ problem: String) -> CalibrationError {
        .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
      guard let kind = Kind(rawValue: kinds[i]) else {
        throw failure("kind is '\(kinds[i])', expected decode, chunked or layered")
      }
      guard begins[i] <= ends[i], ends[i] <= layers[i], layers[i] > 0 else {
        throw failure("layers \(begins[i]) to \(ends[i]) of \(layers[i]): expected a range of the layers")
      }
      guard (kind == .decode) == (tokens[i] == 0), (tokens[i] == 0) == (begins[i] == ends[i]),
        decodes[i] + tokens[i] > 0, decodes[i] == 0 || contexts[i] > 0, seconds[i] > 0
      else {
        throw failure(
          "expected prefill tokens with their layers for all kinds but decode, and a positive time")
      }
      let energy = joules[i].isEmpty ? nil : Double(joules[i])
      guard joules[i].isEmpty || energy.map({ $0 > 0 && $0.isFinite }) == true else {
        throw failure("joules is '\(joules[i])', expected a positive number or nothing")
      }
      let isAtFullClock = clocks[i] >= 0.98 * highest
      let pause = isAtFullClock ? sustained[i].map { max(0, $0 - seconds[i]) } ?? 0 : 0
      rows.append(
        MeasuredIteration(
          line: table.line(ofRow: i), kind: kind, model: models[i], tensorParallel: tp[i],
          decodes: decodes[i],
          decodeContext: contexts[i], prefill: PrefillSegment(tokens: tokens[i], prefix: prefixes[i]),
          prefillLayers: begins[i]..<ends[i], layers: layers[i], experts: experts[i], seconds: seconds[i],
          joules: energy, pause: pause))
    }
    return rows
  }
}
