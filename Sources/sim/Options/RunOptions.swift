import ArgumentParser
import CostModels
import Experiments
import Policies
import Serving
import Support
import Systems
import Workloads

/// Everything that a run's result depends on.
struct RunOptions: ParsableArguments {
  @OptionGroup(title: "Traffic") var traffic: WorkloadOptions
  @OptionGroup(title: "Schedule") var schedule: PolicyOptions
  @OptionGroup(title: "Model, GPU and engine") var system: SystemOptions
  @OptionGroup(title: "Objective") var objective: ObjectiveOptions
  @OptionGroup(title: "Data") var folders: ProjectFolders

  /// Reads and checks everything.
  ///
  /// - Parameter cache: what earlier experiments have read; what this one reads is added.
  /// - Returns: the experiment.
  /// - Throws: a `UserError`.
  func makeExperiment(cache: inout ExperimentCache) throws -> LoadedExperiment {
    try system.checkValues()
    let loaded = try cache.system(system, folder: folders.profilesFolder())
    let policy = try schedule.load(
      layers: loaded.system.shard.model.layers, maxModelLength: system.maxModelLen)
    let workload = try traffic.load(
      from: folders.tracesFolder(), reading: { path throws(WorkloadError) in try cache.trace(path) })
    return LoadedExperiment(
      loaded: loaded, policy: policy, workload: workload, objective: try objective.load(trace: traffic.trace),
      kvBlocks: try loaded.kvBlocks(
        utilisation: system.gpuMemoryUtilization, maxBatchedTokens: policy.batchedTokens),
      maxSequences: system.maxNumSeqs, maxModelLength: system.maxModelLen,
      maxConcurrency: traffic.maxConcurrency ?? .max, maxDuration: traffic.maxDuration ?? .infinity,
      isShuffled: traffic.shuffle, drawRouting: system.drawRouting, exactSteps: schedule.exactSteps)
  }
}

/// Systems and traces that have been read, so that the points of a sweep share them.
struct ExperimentCache {
  private var systems: [SystemOptions.Key: LoadedSystem] = [:]
  private var traces: [String: TraceFile] = [:]

  mutating func system(_ options: SystemOptions, folder: String) throws -> LoadedSystem {
    if let known = systems[options.key] { return known }
    let loaded = try options.load(from: folder)
    systems[options.key] = loaded
    return loaded
  }

  mutating func trace(_ path: String) throws(WorkloadError) -> TraceFile {
    if let known = traces[path] { return known }
    let file = try TraceFile.read(path)
    traces[path] = file
    return file
  }
}
