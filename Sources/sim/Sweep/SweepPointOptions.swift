import ArgumentParser
import Experiments

/// The options of a run as a command line of its own.
///
/// They are those of `RunOptions`, one level less deep: in debug builds the argument parser checks the declarations of
/// every level, and all levels below, each time that it parses, which takes 50 ms for `RunOptions` and 20 ms here.
struct SweepPointOptions: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "run")

  @OptionGroup var traffic: WorkloadOptions
  @OptionGroup var schedule: PolicyOptions
  @OptionGroup var system: SystemOptions
  @OptionGroup var cluster: ClusterOptions
  @OptionGroup var objective: ObjectiveOptions
  @OptionGroup var folders: ProjectFolders

  /// The same as other commands have it.
  var asRunOptions: RunOptions {
    var options = RunOptions()
    options.traffic = traffic
    options.schedule = schedule
    options.system = system
    options.cluster = cluster
    options.objective = objective
    options.folders = folders
    return options
  }
}
