import Serving
import Systems

/// The prices of the images that a ``VisionEncoder`` makes tokens of.
///
/// An image is a prompt of its positions that all see each other: as many pairs as a causal prompt has behind a prefix of half its
/// length. All images of a step pass the encoder together, and before its layers.
struct EncoderPrices {
  private var layers: KernelPrices
  private let positions: Int
  private var load = StepLoad()
  private var tiles: [Tile] = []

  /// Creates the prices.
  ///
  /// - Parameters:
  ///   - encoder: the encoder on the GPUs of its model.
  ///   - calibration: fits of 16-bit kernels.
  init(_ encoder: ServedEncoder, calibration: Calibration) {
    layers = KernelPrices(
      system: encoder.system, calibration: calibration, routing: nil, drawSeed: nil, width: 1)
    positions = encoder.encoder.positions
  }

  /// Adds what it takes to encode the images that come with a step.
  mutating func price(_ step: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
    guard step.images > 0 else { return }
    if ledger.images.isEmpty {
      ledger.images.append(KernelLedger())
      ledger.images[0].logsSteps = ledger.logsSteps
    }
    let first = positions / 2
    let tile = Tile(
      sequence: Slot(0), tokens: first..<first + positions, layers: 0..<layers.layers)
    tiles.removeAll(keepingCapacity: true)
    for _ in 0..<step.images { tiles.append(tile) }
    load.fill(decode: DecodeLoad(), tiles: tiles, layers: layers.layers)
    var pass = StepCost()
    layers.price(load, into: &pass, ledger: &ledger.images[0])
    cost.kernelSeconds += pass.kernelSeconds
    cost.clockedSeconds += pass.clockedSeconds
    cost.clockedJoules += pass.clockedJoules
    cost.launchSeconds += pass.launchSeconds
    cost.weightBytes += pass.weightBytes
    cost.activationBytes += pass.activationBytes
    cost.prefillRowJoules += pass.prefillRowJoules + pass.prefillContextJoules
  }

  /// What each kernel of the encoder has used, under its name behind `encoder_`.
  func kernels(in ledger: borrowing KernelLedger) -> [KernelUse] {
    ledger.images.isEmpty ? [] : Self.named(layers.kernels(in: ledger.images[0]))
  }

  /// What each kernel of the encoder used in the step priced last; the ledger forgets it.
  func takeStepKernels(from ledger: inout KernelLedger) -> [KernelUse] {
    ledger.images.isEmpty ? [] : Self.named(layers.takeStepKernels(from: &ledger.images[0]))
  }

  private static func named(_ uses: [KernelUse]) -> [KernelUse] {
    uses.map {
      var use = $0
      use.kernel = "encoder_" + use.kernel
      return use
    }
  }
}
