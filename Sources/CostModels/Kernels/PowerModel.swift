import Serving
import Systems

/// The energy of a kernel on one GPU, above what the board draws idle: a part for each byte and each operation, and one
/// for the time that multiprocessors are busy.
///
/// It is what a kernel draws at full clock. Launches that last for milliseconds were not measured so: in the runs that
/// timed them the board was at its limit. Their time is the sustained one, and they draw what the limit leaves.
struct PowerModel: Sendable {
  let joulesPerByte: Joules
  let joulesPerFlop: Joules
  /// What an operation in 8 or 4 bits saves.
  let joulesSavedPerNarrowFlop: Joules
  let joulesPerMXFP4Byte: Joules
  let busyWatts: Double
  let idleWatts: Double
  /// Power above idle that was left to kernels when they were measured.
  let measuredHeadroom: Double
  /// Launches from this time on were measured at the limit.
  let sustained: Seconds

  init(_ hardware: HardwareDescription) {
    joulesPerByte = hardware.energy.joulesPerByte
    joulesPerFlop = hardware.energy.joulesPerFlop
    joulesSavedPerNarrowFlop = hardware.energy.joulesPerFlop * (1 - hardware.energy.narrowFlopShare)
    joulesPerMXFP4Byte = hardware.energy.mxfp4Picojoules * 1e-12
    busyWatts = hardware.energy.busyWatts
    idleWatts = hardware.energy.idleWatts
    measuredHeadroom = hardware.power.measuredAtWatts - hardware.energy.idleWatts
    sustained = hardware.power.sustainedMilliseconds * 1e-3
  }

  /// Sets the launch's energy, and the part of it that follows the clock.
  ///
  /// - Parameters:
  ///   - launch: with its time, bytes and operations.
  ///   - clocked: the share of its time that grows as the clock falls, 0...1.
  ///   - narrowFLOPs: operations in 8 or 4 bits, among its operations.
  ///   - mxfp4Bytes: weights that it dequantises.
  @inline(__always)
  func apply(
    to launch: inout Launch, clocked: Double = 0, narrowFLOPs: Double = 0, mxfp4Bytes: Double = 0
  ) {
    let joules =
      joulesPerByte * launch.bytes + joulesPerFlop * launch.flops + busyWatts * launch.seconds
      + joulesPerMXFP4Byte * mxfp4Bytes - joulesSavedPerNarrowFlop * narrowFLOPs
    launch.joules = min(joules, mostJoules(seconds: launch.seconds))
    launch.clocked = SIMD2(launch.seconds, launch.joules) * clocked
  }

  /// What the limit leaves a launch that takes so long.
  @inline(__always)
  func mostJoules(seconds: Seconds) -> Joules { measuredHeadroom * max(seconds, sustained) }
}
