/// Mean and standard deviation of a sample.
struct Moments {
  let mean: Double
  let deviation: Double

  init(_ sample: [Double]) {
    var sum = 0.0
    var squares = 0.0
    for value in sample { sum += value }
    let mean = sum / Double(sample.count)
    for value in sample { squares += (value - mean) * (value - mean) }
    self.mean = mean
    deviation = (squares / Double(sample.count - 1)).squareRoot()
  }
}
