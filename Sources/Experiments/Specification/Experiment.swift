import Serving
import Systems
import Workloads

/// One run as a value: everything that its result depends on, but for the content of the files that it names.
///
/// The command line fills one in, the database stores it as JSON, and either can be run again:
///
///     var experiment = Experiment(trace: "arxiv", requestRate: 1.5, policy: "layered")
///     experiment.system.hardware = "h200-sxm"
///     let library = Library(profiles: "Profiles", traces: "Traces")
///     let result = try library.load(experiment).run()
public struct Experiment: Sendable, Hashable {
  /// The requests.
  public var workload: WorkloadSpecification
  /// What serves them.
  public var cluster: ClusterSpecification
  /// The latency limits that a good request meets; `nil` for the trace's usual limits.
  public var objective: ServiceObjective?
  /// Where the run ends early, and how many clients it has.
  public var limits: RunLimits

  /// Creates an experiment.
  public init(
    workload: WorkloadSpecification, cluster: ClusterSpecification = ClusterSpecification(),
    objective: ServiceObjective? = nil, limits: RunLimits = RunLimits()
  ) {
    self.workload = workload
    self.cluster = cluster
    self.objective = objective
    self.limits = limits
  }

  /// Creates an experiment of one instance of the default system.
  ///
  /// - Parameters:
  ///   - trace: a shipped trace's name, or a file's path.
  ///   - requestRate: mean requests a second; infinity sends all at once.
  ///   - policy: a policy, with parameters as in `"layered[stages=8]"`; `nil` for the engine's own.
  ///   - seed: of arrivals, lengths and routing.
  public init(
    trace: String = "arxiv", requestRate: Double? = nil, policy: PolicySpecification? = nil,
    seed: UInt64 = 0
  ) {
    self.init(
      workload: WorkloadSpecification(trace: trace, requestRate: requestRate, seed: seed),
      cluster: ClusterSpecification(ClusterSpecification.Pool(policy: policy)))
  }

  /// The system of the only pool.
  public var system: SystemSpecification {
    get { cluster.pool.system }
    set { cluster.pool.system = newValue }
  }

  /// The policy of the only pool; `nil` for the engine's own.
  public var policy: PolicySpecification? {
    get { cluster.pool.policy }
    set { cluster.pool.policy = newValue }
  }

  /// The seed of arrivals, lengths and routing, which is the workload's.
  public var seed: UInt64 {
    get { workload.seed }
    set { workload.seed = newValue }
  }
}

extension Experiment: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable { case workload, cluster, objective, limits }

  /// Reads an object; members that it lacks keep their defaults.
  public init(from decoder: any Decoder) throws {
    self.init()
    let object = try decoder.object(of: CodingKeys.self)
    try object.read(.workload, into: &workload)
    try object.read(.cluster, into: &cluster)
    objective = try object.decodeIfPresent(ServiceObjective.self, forKey: .objective)
    try object.read(.limits, into: &limits)
  }
}
