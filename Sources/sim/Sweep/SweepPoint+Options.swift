import ArgumentParser
import Experiments

extension SweepPoint {
  /// Reads and checks the options of a point.
  init(arguments: [String], values: [String] = [], libraries: inout Libraries) throws {
    let options: RunOptions
    do {
      options = try SweepPointOptions.parse(arguments).asRunOptions
    } catch {
      throw CommandLineError.badPoint(arguments: arguments, reason: SweepPointOptions.message(for: error))
    }
    try options.objective.refuseStatistics(for: "a sweep")
    let experiment = try options.load(from: &libraries)
    self.init(
      experiment, hash: experiment.configurationHash, commandLine: ["run"] + arguments, values: values)
  }
}
