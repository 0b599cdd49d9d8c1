import Glibc
import Serving
import Support

/// The time of the experts of one MoE layer on one GPU: permutation, gate and up, activation, down, combination.
///
/// `launch + active · weights of an expert / bandwidth + flops / rate`. Loading and computing add up, since the
/// two overlap badly in grouped kernels (it is the better of the two forms on every table that we have).
///
/// A kernel that works in tiles of tokens of one expert (Triton's MXFP4 kernel) computes whole tiles: its last
/// term is `tiles · tileTokens · flops of a row`, at a rate of its own for each of the tile sizes, and it takes
/// the tile size that holds an expert's fair share of the rows: `triton_kernels/matmul_ogs_details/opt_flags.py`
/// of github.com/triton-lang/triton, 16 ... 128 in powers of two.
public struct MoEFit: KernelFit {
  /// Width of the residual stream.
  public let hidden: Int
  /// Width of one expert on this GPU.
  public let intermediate: Int
  /// Experts in the layer.
  public let experts: Int
  /// Experts that each row goes to.
  public let topK: Int
  /// Bytes of a weight, scales included.
  public let weightBytes: Double
  /// Time of a launch that moves and computes next to nothing, in seconds.
  public private(set) var launch: Seconds
  /// Inverse of the bandwidth at which expert weights are read, in seconds per byte.
  public private(set) var secondsPerByte: Double
  /// Inverse of the arithmetic rate over the rows, in seconds per floating-point operation.
  public private(set) var secondsPerFLOP: Double
  /// Inverse of the arithmetic rate over whole tiles of 16, 32, 64 and 128 tokens; zeros for kernels without.
  public private(set) var secondsPerTileFLOP: SIMD4<Double>
  /// Where the coefficients come from.
  public let origin: FitOrigin
  /// The numbers of rows that were measured; empty if nothing was.
  public let measuredRows: Range<Double>
  /// The errors, on rows that they have not seen, of fits found as this one was; nil if that was never tried.
  public var heldOut: ErrorSummary?

  package init(
    hidden: Int, intermediate: Int, experts: Int, topK: Int, weightBytes: Double, launch: Seconds,
    secondsPerByte: Double, secondsPerFLOP: Double, secondsPerTileFLOP: SIMD4<Double>, origin: FitOrigin,
    measuredRows: Range<Double>, heldOut: ErrorSummary? = nil
  ) {
    self.hidden = hidden
    self.intermediate = intermediate
    self.experts = experts
    self.topK = topK
    self.weightBytes = weightBytes
    self.launch = launch
    self.secondsPerByte = secondsPerByte
    self.secondsPerFLOP = secondsPerFLOP
    self.secondsPerTileFLOP = secondsPerTileFLOP
    self.origin = origin
    self.measuredRows = measuredRows
    self.heldOut = heldOut
  }

  /// Bytes of the weights of one expert on this GPU: gate, up and down.
  public var expertBytes: Double { 3 * Double(hidden) * Double(intermediate) * weightBytes }

  /// Whether the time depends on the number of tiles, and so on how evenly the experts are loaded.
  public var worksInTiles: Bool { secondsPerTileFLOP != .zero }

  /// The time of a call; 0 for no rows.
  ///
  /// - Parameters:
  ///   - rows: Tokens, each of which goes to `topK` experts.
  ///   - active: Distinct experts that they choose between them, 0 ... `experts`; an expected value may be broken.
  ///   - skew: How unevenly the active experts are loaded: 0 for uniform random routing, 1 for loads that are
  ///     spread like an exponential distribution (close to the power laws of the measured tables). It matters to
  ///     kernels that work in tiles, if an expert has more than a few tokens.
  /// - Returns: The time in seconds.
  public func seconds(rows: Double, active: Double, skew: Double = 0) -> Seconds {
    guard rows > 0, active > 0 else { return 0 }
    guard worksInTiles else { return seconds(rows: rows, active: active, tiles: 0) }
    let tiles = Self.expectedTiles(
      choices: rows * Double(topK), active: active, tileTokens: tileTokens(rows: rows), skew: skew)
    return seconds(rows: rows, active: active, tiles: tiles)
  }

  /// The time of a call whose number of tiles of `tileTokens(rows:)` tokens is known; 0 for no rows.
  public func seconds(rows: Double, active: Double, tiles: Double) -> Seconds {
    guard rows > 0 else { return 0 }
    let choice = flopsPerChoice
    let tile = tileTokens(rows: rows)
    let inTiles = secondsPerTileFLOP[Self.index(ofTile: tile)] * tiles * tile * choice
    return launch + active * expertBytes * secondsPerByte + rows * Double(topK) * choice * secondsPerFLOP
      + inTiles
  }

  /// Whether a call with so many rows lies inside what was measured for this layer.
  public func isMeasured(rows: Double, active: Double) -> Bool {
    origin == .measured && measuredRows.contains(rows) && active <= Double(experts)
  }

  /// The same layer, `factor` times as slow.
  public func scaled(by factor: Double) -> MoEFit {
    var copy = self
    copy.launch *= factor
    copy.secondsPerByte *= factor
    copy.secondsPerFLOP *= factor
    copy.secondsPerTileFLOP *= factor
    return copy
  }

  /// Tokens in a tile when a call has so many rows: the power of two from 16 to 128 that holds an expert's share.
  public func tileTokens(rows: Double) -> Double {
    let share = rows * Double(topK) / Double(experts)
    return share <= 16 ? 16 : share <= 32 ? 32 : share <= 64 ? 64 : 128
  }

  /// Floating-point operations of one token in one expert.
  public var flopsPerChoice: Double { 6 * Double(hidden) * Double(intermediate) }

  /// The expected number of tiles, each of one expert, that hold all choices.
  ///
  /// For random routing an expert's load is close to a normal distribution whose variance is its mean; for skewed
  /// routing to an exponential one, of which ⌈load / tile⌉ has the expectation 1 / (1 − e^(−tile / mean)).
  ///
  /// - Parameters:
  ///   - choices: Tokens times experts a token.
  ///   - active: Distinct experts that they choose.
  ///   - tileTokens: Tokens that a tile holds.
  ///   - skew: The weight of the exponential distribution, 0 ... 1.
  /// - Returns: Tiles, at least one for each active expert.
  /// - Complexity: O(1); up to about ten terms of a normal distribution.
  public static func expectedTiles(choices: Double, active: Double, tileTokens: Double, skew: Double)
    -> Double
  {
    guard choices > 0, active > 0 else { return 0 }
    let mean = choices / active
    var tiles = 1.0
    if skew < 1 {
      // Σ over j ≥ 1 of the probability that the load exceeds j tiles; beyond ±4 deviations it is 1 or 0.
      let deviation = mean.squareRoot()
      let sure = max(0, ((mean - 4 * deviation) / tileTokens).rounded(.down))
      tiles += sure
      var edge = (sure + 1) * tileTokens
      while edge < mean + 4 * deviation {
        tiles += 0.5 * erfc((edge + 0.5 - mean) / (deviation * 2.0.squareRoot()))
        edge += tileTokens
      }
    }
    if skew > 0 { tiles += skew * (1 / -expm1(-tileTokens / mean) - tiles) }
    return active * tiles
  }

  /// The position of a tile size in `secondsPerTileFLOP`.
  package static func index(ofTile tokens: Double) -> Int {
    tokens <= 16 ? 0 : tokens <= 32 ? 1 : tokens <= 64 ? 2 : 3
  }
}
