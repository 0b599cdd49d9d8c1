import Testing

@testable import Calibration
@testable import CostModels

@Suite struct NonNegativeLeastSquaresTests {
  @Test func findsTheExactSolutionWhereThereIsOne() {
    // 2·(1, 0, 1) + 3·(0, 1, 1) = (2, 3, 5)
    let x = nonNegativeLeastSquares(columns: [[1, 0, 1], [0, 1, 1]], target: [2, 3, 5])
    #expect(zip(x, [2, 3]).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test func restsAtZeroWhereTheUnboundedSolutionIsNegative() {
    // Without bounds: (3, −1). With x₂ = 0 the first column alone gives (1·1 + 1·2) / (1 + 1) = 1.5.
    let x = nonNegativeLeastSquares(columns: [[1, 1], [2, 1]], target: [1, 2])
    #expect(abs(x[0] - 1.5) < 1e-12)
    #expect(x[1] == 0)
  }

  @Test func isZeroWhereEveryColumnPointsAway() {
    #expect(nonNegativeLeastSquares(columns: [[-1, 0], [0, -1]], target: [1, 1]) == [0, 0])
  }

  @Test func givesColumnsOfZerosTheCoefficientZero() {
    let x = nonNegativeLeastSquares(columns: [[0, 0], [1, 1]], target: [2, 2])
    #expect(x[0] == 0)
    #expect(abs(x[1] - 2) < 1e-12)
  }

  @Test func doesNotMindColumnsOfVeryDifferentUnits() {
    let launches = [1.0, 1, 1, 1]
    let bytes = [1e6, 1e8, 1e9, 1e10]
    let target = zip(launches, bytes).map { 4e-6 * $0 + 2.5e-13 * $1 }
    let x = nonNegativeLeastSquares(columns: [launches, bytes], target: target)
    #expect(abs(x[0] / 4e-6 - 1) < 1e-9)
    #expect(abs(x[1] / 2.5e-13 - 1) < 1e-9)
  }

  @Test func takesOneOfTwoEqualColumns() {
    let x = nonNegativeLeastSquares(columns: [[1, 2], [1, 2]], target: [3, 6])
    #expect(abs(x[0] + x[1] - 3) < 1e-9)
  }
}
