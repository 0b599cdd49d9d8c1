import ArgumentParser
import Experiments

/// Everything that a run's result depends on.
struct RunOptions: ParsableArguments {
  @OptionGroup(title: "Traffic") var traffic: WorkloadOptions
  @OptionGroup(title: "Schedule") var schedule: PolicyOptions
  @OptionGroup(title: "Model, GPU and engine") var system: SystemOptions
  @OptionGroup(title: "Cluster") var cluster: ClusterOptions
  @OptionGroup(title: "Objective") var objective: ObjectiveOptions
  @OptionGroup(title: "Data") var folders: ProjectFolders

  /// The experiment that the options describe.
  func specification() throws -> Experiment {
    var cluster = ClusterSpecification(
      ClusterSpecification.Pool(
        system: try system.specification(),
        policy: try schedule.specification { try system.ownPolicy(in: folders) }))
    try self.cluster.apply(to: &cluster)
    return Experiment(
      workload: try traffic.specification(), cluster: cluster, objective: try objective.specification(),
      limits: traffic.limits)
  }

  /// Reads and checks everything.
  ///
  /// - Parameter libraries: what earlier experiments have read; what this one reads is added.
  /// - Returns: the experiment.
  /// - Throws: a `UserError`.
  func load(from libraries: inout Libraries) throws -> LoadedExperiment {
    let specification = try specification()
    var experiment = try libraries.library(in: folders).load(specification)
    experiment.exactSteps = schedule.exactSteps
    libraries.warn(of: experiment)
    return experiment
  }
}

/// What has been read from each pair of folders.
struct Libraries {
  private var libraries: [[String]: Library] = [:]
  private var warnings: Set<String> = []

  /// Says what is odd about an experiment, each oddity once.
  mutating func warn(of experiment: LoadedExperiment) {
    for warning in experiment.warnings where warnings.insert(warning).inserted { sim.warn(warning) }
  }

  /// The library of folders that options name.
  mutating func library(in folders: ProjectFolders) throws(CommandLineError) -> Library {
    let paths = [try folders.profilesFolder(), try folders.tracesFolder()]
    if let known = libraries[paths] { return known }
    let library = Library(profiles: paths[0], traces: paths[1])
    libraries[paths] = library
    return library
  }
}
