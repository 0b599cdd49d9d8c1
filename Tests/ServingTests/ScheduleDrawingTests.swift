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

  /// A stretch with decodes is drawn rather than the first one, with the numbers of its iterations.
  @Test func aLoadedMomentIsDrawn() {
    var drawing = ScheduleDrawing(layers: 4, rows: 2, columns: 3, moment: .loaded)
    // Prefill alone, then decodes, then a prompt in two groups beside five that decode.
    let steps: [(Int32, Range<Int32>)] = [
      (0, 0..<4), (0, 0..<0), (1, 0..<0), (5, 0..<0), (5, 0..<2), (5, 2..<4), (6, 0..<0), (6, 0..<4),
    ]
    for (index, step) in steps.enumerated() {
      var record = IterationRecord()
      record.index = Int64(index)
      record.start = Double(index)
      record.decodeTokens = step.0
      (record.layerBegin, record.layerEnd) = (step.1.lowerBound, step.1.upperBound)
      drawing.record(record)
    }
    #expect(
      drawing.picture == """
        layers  iterations 4 to 6, from 4.0 s
           0-1  B D D
           2-3  D B D
                P prefill, D decode, B both, . neither; 5 to 6 sequences decode
        """)
  }
}
