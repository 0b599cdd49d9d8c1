import ArgumentParser

/// One run of a sweep.
struct SweepPoint: Sendable {
  /// The options of `sim run` that make it.
  let arguments: [String]
  /// Its values of the options that vary.
  let values: [String]
  let experiment: Experiment
  /// What tells it from other points.
  let hash: String

  /// Reads and checks the options of a point.
  init(arguments: [String], values: [String] = [], cache: inout ExperimentCache) throws {
    let options: RunOptions
    do {
      options = try RunOptions.parse(arguments)
    } catch {
      throw CommandLineError.badPoint(arguments: arguments, reason: RunOptions.message(for: error))
    }
    experiment = try options.makeExperiment(cache: &cache)
    self.arguments = arguments
    self.values = values
    hash = experiment.configurationHash
  }

  /// Its command line.
  var commandLine: [String] { ["run"] + arguments }
}
