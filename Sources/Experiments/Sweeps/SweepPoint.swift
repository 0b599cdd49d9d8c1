/// One run of a sweep.
package struct SweepPoint: Sendable {
  /// The command line that makes it.
  package let commandLine: [String]
  /// Its values of the options that vary.
  package let values: [String]
  package let experiment: LoadedExperiment
  /// What tells it from other points.
  package let hash: String

  /// A point that has been read and checked.
  package init(_ experiment: LoadedExperiment, hash: String, commandLine: [String], values: [String] = []) {
    self.experiment = experiment
    self.hash = hash
    self.commandLine = commandLine
    self.values = values
  }
}
