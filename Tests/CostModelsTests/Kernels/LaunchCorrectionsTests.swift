import Foundation
import Systems
import TestSupport
import Testing

@testable import CostModels

@Suite struct LaunchCorrectionsTests {
  private let corrections = LaunchCorrections(
    even: [.init(rows: 1, factor: 0.5), .init(rows: 5, factor: 1.5), .init(rows: 105, factor: 1)],
    skewed: [.init(rows: 10, factor: 2)])

  @Test(arguments: [
    (0.5, 0.5), (1, 0.5), (2, 0.75), (5, 1.5), (55, 1.25), (105, 1), (1e9, 1),
  ])
  func areLinearInTheRowsBetweenMeasuredOnes(rows: Double, factor: Double) {
    #expect(abs(corrections.factor(rows: rows, skew: 0) - factor) < 1e-12)
  }

  @Test func goFromEvenToSkewed() {
    #expect(corrections.factor(rows: 2, skew: 1) == 2)
    let between = 0.75 * 0.75 + 0.25 * 2.0
    #expect(abs(corrections.factor(rows: 2, skew: 0.25) - between) < 1e-12)
    // One kind stands in for the other, and nothing corrects nothing.
    #expect(LaunchCorrections(even: corrections.even, skewed: []).factor(rows: 5, skew: 1) == 1.5)
    #expect(LaunchCorrections(even: [], skewed: corrections.skewed).factor(rows: 5, skew: 0) == 2)
    #expect(LaunchCorrections(even: [], skewed: []).factor(rows: 5, skew: 1) == 1)
  }

  /// Every measured launch of an exact shape is priced as it was measured, in every calibration that keeps corrections.
  @Test func aMeasuredLaunchTakesWhatItTook() throws {
    let calibration = try Calibration(path: "\(shippedProfiles.url.path)/calibrations/h200-sxm.json")
    let shape = Experts.Shape(hidden: 2048, intermediate: 768, experts: 128, topK: 8)
    let fit = calibration.fit(shape)
    let corrections = try #require(fit.corrections)
    #expect(corrections.even.count > 8 && corrections.skewed.count > 8)
    let point = corrections.skewed[corrections.skewed.count / 2]
    let work = Experts.Work(rows: point.rows, active: 100, skew: 1)
    let law = Experts.seconds(fit.coefficients, shape, work, on: calibration.figures)
    let expected = law * point.factor
    #expect(abs(fit.seconds(work) / expected - 1) < 1e-12)
    var several = shape
    several.ranks = 4
    #expect(calibration.fit(several).corrections == nil, "several ranks were fitted to the law")
    #expect(
      calibration.fit(Experts.Shape(hidden: 2048, intermediate: 700, experts: 128, topK: 8)).corrections
        == nil)
  }

  @Test(arguments: ["[0, 1]", "[1, 0]", "[1, -2]", "[1]", "[1, 1, 2]", "[1, 1.1, 1, 1.2]", "[\"a\", 1]"])
  func whatIsNoListOfFactorsIsRefused(even: String) {
    let text = "{\"even\": \(even), \"skewed\": []}"
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(LaunchCorrections.self, from: Data(text.utf8))
    }
  }

  @Test func areWrittenAsTheyAreRead() throws {
    let text = try JSONEncoder().encode(corrections)
    #expect(try JSONDecoder().decode(LaunchCorrections.self, from: text) == corrections)
  }
}
