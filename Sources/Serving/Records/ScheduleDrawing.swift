/// Draws a schedule as text: a row for each group of layers, a column for each iteration; `P` prefill, `D` decode,
/// `B` both, `.` neither.
///
///     chunked      layered
///     PPPPDDD      P...DDD
///     PPPPDDD      .P..DDD
///     PPPPDDD      ..P.DDD
///     PPPPDDD      ...PDDD
public struct ScheduleDrawing: Recorder, Sendable, CustomStringConvertible {
  /// Which iterations are drawn.
  public enum Moment: Sendable {
    /// The first ones.
    case first
    /// Of the first hundred stretches of the first instance that begin with a prompt, the first in which most iterations carry prefill
    /// beside decode, or else the one with most of these.
    case loaded
  }

  /// A column: what an iteration carries, and how many sequences decode in it.
  private struct Column {
    var index: Int64
    var start: Seconds
    var decodes: Int32
    var prefill: Range<Int>
    var isBoth: Bool { decodes > 0 && !prefill.isEmpty }
  }

  let layers: Int
  let rows: Int
  let columns: Int
  private let moment: Moment
  private var drawn: [Column] = []
  /// The stretch that is being looked at.
  private var stretch: [Column] = []
  private var stretches = 0
  private var wasPrefill = false

  /// Creates an empty drawing.
  ///
  /// - Parameters:
  ///   - layers: layers of the model.
  ///   - rows: groups of layers to draw.
  ///   - columns: iterations to draw; others are left out.
  ///   - moment: which ones.
  public init(layers: Int, rows: Int, columns: Int, moment: Moment = .first) {
    self.layers = layers
    self.rows = min(rows, layers)
    self.columns = columns
    self.moment = moment
  }

  /// Draws a column.
  ///
  /// A group carries prefill if its first layer does.
  public mutating func record(_ iteration: IterationRecord) {
    guard moment == .loaded else {
      if iteration.index < columns { drawn.append(Self.column(iteration)) }
      return
    }
    guard iteration.instance == 0, stretches < 100 else { return }
    let column = Self.column(iteration)
    let begins = !column.prefill.isEmpty && !wasPrefill
    wasPrefill = !column.prefill.isEmpty
    guard !stretch.isEmpty || begins else { return }
    stretch.append(column)
    guard stretch.count == columns else { return }
    let both = stretch.count(where: \.isBoth)
    if drawn.isEmpty || both > drawn.count(where: \.isBoth) { drawn = stretch }
    stretches = 2 * both > columns ? 100 : stretches + 1
    stretch = []
  }

  private static func column(_ iteration: IterationRecord) -> Column {
    Column(
      index: iteration.index, start: iteration.start, decodes: iteration.decodeTokens,
      prefill: Int(iteration.layerBegin)..<max(Int(iteration.layerBegin), Int(iteration.layerEnd)))
  }

  /// Does nothing.
  public mutating func record(_ span: SpanRecord) {}
  /// Does nothing.
  public mutating func record(_ request: RequestRecord) {}

  /// The columns that are there to draw: those of the run's end, where it has no whole stretch.
  private var shown: [Column] { drawn.isEmpty ? stretch : drawn }

  /// The drawing.
  public var description: String { lines.joined(separator: "\n") }

  private var lines: [String] {
    (0..<rows).map { row in
      let layer = row * layers / rows
      return String(
        shown.map { column -> Character in
          column.prefill.contains(layer) ? (column.decodes > 0 ? "B" : "P") : (column.decodes > 0 ? "D" : ".")
        })
    }
  }

  /// The drawing with its axes, and what its letters stand for.
  public var picture: String {
    guard let first = shown.first, let last = shown.last else { return "No iteration to draw." }
    let labels = (0..<rows).map { "\($0 * layers / rows)-\(($0 + 1) * layers / rows - 1)" }
    let width = max(labels.map(\.count).max() ?? 0, 6)
    func left(_ text: String) -> String { String(repeating: " ", count: width - text.count) + text + "  " }
    var text = [left("layers") + "iterations \(first.index) to \(last.index), from \(rounded(first.start)) s"]
    for (label, line) in zip(labels, lines) {
      text.append(left(label) + line.map { "\($0)" }.joined(separator: " "))
    }
    let decodes = shown.map(\.decodes)
    text.append(
      left("")
        + "P prefill, D decode, B both, . neither; \(decodes.min() ?? 0) to \(decodes.max() ?? 0) sequences decode"
    )
    return text.joined(separator: "\n")
  }

  /// To milliseconds.
  private func rounded(_ seconds: Seconds) -> Seconds { (seconds * 1000).rounded() / 1000 }
}
