import Serving
import Systems

/// The energy of a kernel on one GPU above what the board draws idle: a part for each byte and each operation.
///
/// A kernel that would exceed the board's limit takes as long as the limit makes it: the clocks drop.
struct PowerModel: Sendable {
  let joulesPerByte: Joules
  let joulesPerFlop: Joules
  let idleWatts: Double
  /// Power that kernels may draw above idle.
  let headroomWatts: Double

  init(_ hardware: HardwareDescription) {
    joulesPerByte = hardware.energy.joulesPerByte
    joulesPerFlop = hardware.energy.joulesPerFlop
    idleWatts = hardware.energy.idleWatts
    headroomWatts = hardware.powerLimitWatts - hardware.energy.idleWatts
  }

  /// Sets the launch's energy, and stretches its time where the power limit demands it.
  func apply(to launch: inout Launch) {
    launch.joules = joulesPerByte * launch.bytes + joulesPerFlop * launch.flops
    launch.seconds = max(launch.seconds, launch.joules / headroomWatts)
  }
}
