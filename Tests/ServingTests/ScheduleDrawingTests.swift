import Serving
import Testing

@Suite struct ScheduleDrawingTests {
  func draw(
    _ iterations: [(decodes: Int32, layers: Range<Int32>)], layers: Int = 8, rows: Int = 4, columns: Int = 10
  ) -> String {
    var drawing = ScheduleDrawing(layers: layers, rows: rows, columns: columns)
    for (index, it) in iterations.enumerated() {
      var record = IterationRecord()
      record.index = Int64(index)
      record.decodeTokens = it.decodes
      (record.layerBegin, record.layerEnd) = (it.layers.lowerBound, it.layers.upperBound)
      drawing.record(record)
    }
    return drawing.description
  }

  @Test func everyMarkHasItsMeaning() {
    let drawn = draw([(0, 0..<8), (0, 0..<4), (3, 4..<8), (3, 0..<0)])
    #expect(
      drawn == """
        PPDD
        PPDD
        P.BD
        P.BD
        """)
  }

  @Test func laterIterationsAreLeftOut() {
    let drawn = draw([(1, 0..<0), (1, 0..<0), (1, 0..<0)], rows: 1, columns: 2)
    #expect(drawn == "DD")
  }

  @Test func thereAreAtMostAsManyRowsAsLayers() {
    let drawn = draw([(0, 0..<1), (0, 1..<2)], layers: 2, rows: 16)
    #expect(
      drawn == """
        P.
        .P
        """)
  }
}
