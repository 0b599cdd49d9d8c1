/// Draws a schedule as text: a row for each group of layers, a column for each iteration; `P` prefill, `D` decode,
/// `B` both, `.` neither.
///
///     chunked      layered
///     PPPPDDD      P...DDD
///     PPPPDDD      .P..DDD
///     PPPPDDD      ..P.DDD
///     PPPPDDD      ...PDDD
public struct ScheduleDrawing: Recorder, Sendable, CustomStringConvertible {
  let layers: Int
  let rows: Int
  let columns: Int
  private var lines: [String]

  /// Creates an empty drawing.
  ///
  /// - Parameters:
  ///   - layers: layers of the model.
  ///   - rows: groups of layers to draw.
  ///   - columns: iterations to draw; later ones are left out.
  public init(layers: Int, rows: Int, columns: Int) {
    self.layers = layers
    self.rows = min(rows, layers)
    self.columns = columns
    lines = Array(repeating: "", count: self.rows)
  }

  /// Draws a column.
  ///
  /// A group carries prefill if its first layer does.
  public mutating func record(_ iteration: IterationRecord) {
    guard iteration.index < columns else { return }
    let decodes = iteration.decodeTokens > 0
    for row in 0..<rows {
      let layer = row * layers / rows
      let prefills = layer >= Int(iteration.layerBegin) && layer < Int(iteration.layerEnd)
      lines[row] += prefills ? (decodes ? "B" : "P") : (decodes ? "D" : ".")
    }
  }

  /// Does nothing.
  public mutating func record(_ span: SpanRecord) {}
  /// Does nothing.
  public mutating func record(_ request: RequestRecord) {}

  /// The drawing.
  public var description: String { lines.joined(separator: "\n") }
}
