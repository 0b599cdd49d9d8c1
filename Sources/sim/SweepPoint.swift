import ArgumentParser

/// One run of a sweep.
struct SweepPoint: Sendable {
  /// The command line that makes it.
  let commandLine: [String]
  /// Its values of the options that vary.
  let values: [String]
  let experiment: Experiment
  /// What tells it from other points.
  let hash: String

  /// Reads and checks the options of a point.
  init(arguments: [String], values: [String] = [], cache: inout ExperimentCache) throws {
    let options: RunOptions
    do {
      options = try SweepPointOptions.parse(arguments).asRunOptions
    } catch {
      throw CommandLineError.badPoint(arguments: arguments, reason: SweepPointOptions.message(for: error))
    }
    experiment = try options.makeExperiment(cache: &cache)
    commandLine = ["run"] + arguments
    self.values = values
    hash = experiment.configurationHash
  }

  /// A point that has been read and checked.
  init(_ experiment: Experiment, hash: String, commandLine: [String]) {
    self.experiment = experiment
    self.hash = hash
    self.commandLine = commandLine
    values = []
  }
}
