import CostModels
import Foundation
import Systems
import TestSupport
import Testing

@Suite struct MeasuredRoutingTests {
  /// A mixture of experts with two layers of four experts, of which a token uses two.
  func model() throws -> ModelDescription {
    var model = try shipped("gpt-oss-20b")
    model.layers = 2
    model.hasDenseMLP = [false, false]
    model.experts = 4
    model.topK = 2
    return model
  }

  func routing(_ rows: String) throws -> ExpertRouting {
    try ScratchFolder.with("counts.csv", rows) { file in
      try ExpertRouting(.measured(file: file.path), for: model())
    }
  }

  static let even = "# a comment\nlayer,expert,count\n0,0,5\n0,1,5\n0,2,5\n0,3,5\n"

  @Test("follows the closed form in every layer, and sums over a range")
  func closedForm() throws {
    let routing = try routing(Self.even + "1,0,8\r\n1,1,4\n1,2,2\n1,3,2\n")
    func expected(_ shares: [Double], _ tokens: Double) -> Double {
      shares.map { 1 - pow(1 - $0, tokens) }.reduce(0, +)
    }
    let (first, second) = ([0.5, 0.5, 0.5, 0.5], [1.0, 0.5, 0.25, 0.25])
    for tokens in [0, 1, 2, 9, 40, 70, 500] {
      let one = routing.distinct(layers: 0..<1, decodes: tokens)
      let both = routing.distinct(layers: 0..<2, decodes: tokens)
      #expect(abs(one - expected(first, Double(tokens))) < 1e-3)
      #expect(abs(both - one - expected(second, Double(tokens))) < 1e-3)
    }
    let prefill: [Int32] = [3, 4]
    #expect(
      abs(
        routing.distinct(layers: 0..<2, decodes: 2, prefill: prefill.span)
          - routing.distinct(layers: 0..<2, decodes: 9)) < 1e-12)
  }

  /// Files with a mistake, and what the message says of it.
  static let mistakes: [(rows: String, message: String)] = [
    ("layer,experts,count\n", "counts.csv: no column 'expert'; its header has layer, experts, count"),
    ("\(even)", "layer 1 has 0 experts"),
    ("\(even)1,0,1\n1,1,1\n1,2,1\n", "layer 1 has 3 experts; expected a row for each of 4"),
    ("\(even)1,4,1\n", "counts.csv: line 7: expert: '4' should be 0...3"),
    ("\(even)2,0,1\n", "counts.csv: line 7: layer: '2' should be 0...1"),
    ("\(even)1,0,-3\n", "counts.csv: line 7: count: '-3' should be a number, at least 0"),
    ("\(even)1,0,nan\n", "counts.csv: line 7: count: 'nan' should be"),
    ("\(even)1,0\n", "counts.csv: line 7: row: '2 fields' should be 3 fields"),
    ("\(even)0,0,1\n", "counts.csv: line 7: a second row for layer 0, expert 0"),
    ("\(even)1,0,0\n1,1,0\n1,2,0\n1,3,0\n", "layer 1 has counts that sum to 0.0"),
    ("", "counts.csv: the file is empty"),
  ]

  @Test("says what is wrong with a file, and where", arguments: mistakes)
  func errors(rows: String, message: String) throws {
    let error = try #require(throws: DescriptionError.self) { try routing(rows) }
    #expect(error.description.contains(message), "\(error)")
  }

  @Test("says that a file is missing")
  func missing() throws {
    let error = try #require(throws: DescriptionError.self) {
      try ExpertRouting(.measured(file: "no/such.csv"), for: model())
    }
    #expect(error.description == "no/such.csv: cannot be read: no such file")
  }
}
