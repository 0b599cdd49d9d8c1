import Glibc
import Serving
import Statistics

/// Resamples of a series of requests: how often each of them is drawn.
///
/// Requests that follow each other share a queue, so their latencies are alike, and drawing them one by one would
/// make intervals too narrow. Blocks of successive requests are drawn instead, n^(1/3) long, around the end
/// (the circular block bootstrap of Politis and Romano, 1992; for lengths: Hall, Horowitz and Jing, Biometrika 82, 1995).
package struct CompareBootstrap {
  /// Requests in the series.
  package let count: Int
  /// Requests in a block.
  package let blockLength: Int
  private var random: SplitMix64

  package init(count: Int, seed: UInt64) {
    self.count = count
    blockLength = max(1, Int(cbrt(Double(count)).rounded()))
    random = SplitMix64(seed: seed, purpose: "bootstrap")
  }

  /// Draws a resample: the weights add up to the number of requests.
  package mutating func draw(into weights: inout [Int]) {
    for i in weights.indices { weights[i] = 0 }
    var left = count
    while left > 0 {
      var i = Int(random.next().multipliedFullWidth(by: UInt64(count)).high)
      for _ in 0..<min(left, blockLength) {
        weights[i] += 1
        i = i + 1 == count ? 0 : i + 1
      }
      left -= blockLength
    }
  }
}
