/// The instances that serve a workload: pools of equal ones behind a router.
public struct ClusterSpecification: Sendable, Hashable, Codable {
  /// Equal instances: the same system under the same policy.
  public struct Pool: Sendable, Hashable, Codable {
    /// Its name in results.
    public var name: String
    /// Its instances, one at least: servers, each of one rank or several.
    public var instances: Int
    /// What each of them is.
    public var system: SystemSpecification
    /// What decides about each iteration; `nil` for the engine's own policy.
    public var policy: PolicySpecification?
    /// What it does of a request; `nil` for all of it.
    public var role: Role?

    /// What a pool does of a request.
    public enum Role: String, Sendable, Codable, CaseIterable {
      /// It computes prompts, and the first token.
      case prefill
      /// It writes the other tokens.
      case decode
    }

    /// Creates a pool.
    public init(
      name: String = "all", instances: Int = 1, system: SystemSpecification = SystemSpecification(),
      policy: PolicySpecification? = nil, role: Role? = nil
    ) {
      self.role = role
      self.name = name
      self.instances = instances
      self.system = system
      self.policy = policy
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
      case name, instances, system, policy, role
    }

    /// Reads an object; members that it lacks keep their defaults.
    public init(from decoder: any Decoder) throws {
      self.init()
      let object = try decoder.object(of: CodingKeys.self)
      try object.read(.name, into: &name)
      try object.read(.instances, into: &instances)
      try object.read(.system, into: &system)
      policy = try object.decodeIfPresent(PolicySpecification.self, forKey: .policy)
      role = try object.decodeIfPresent(Role.self, forKey: .role)
    }
  }

  /// The pools: one, or one that computes prompts and one that decodes.
  public var pools: [Pool]

  /// What decides which instance serves a request; `nil` for all in turn.
  public var router: PolicySpecification?
  /// How KV entries get from one pool to the other; `nil` where there is one pool.
  public var transfer: TransferSpecification?

  /// Creates a cluster of one pool.
  public init(_ pool: Pool = Pool(), router: PolicySpecification? = nil) {
    pools = [pool]
    self.router = router
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case pools, router, transfer }

  /// Reads an object.
  public init(from decoder: any Decoder) throws {
    self.init()
    let object = try decoder.object(of: CodingKeys.self)
    try object.read(.pools, into: &pools)
    router = try object.decodeIfPresent(PolicySpecification.self, forKey: .router)
    transfer = try object.decodeIfPresent(TransferSpecification.self, forKey: .transfer)
  }

  /// Whether some instances compute prompts for others.
  public var isDisaggregated: Bool { pools.count > 1 }

  /// Instances of all pools, each rank of a server counted.
  public var instanceCount: Int {
    pools.reduce(0) { $0 + $1.instances * ($1.system.dataParallelSize ?? 1) }
  }

  /// Checks which pools there are.
  func checkPools() throws(ExperimentError) {
    let roles = pools.map { $0.role?.rawValue ?? "both" }
    guard !pools.isEmpty, pools.count <= 2, roles == ["both"] || roles == ["prefill", "decode"] else {
      throw .invalidValue(
        option: "pools", value: roles.isEmpty ? "0" : roles.joined(separator: ","),
        expected: "one pool without a role, or one of role prefill and one of role decode, in this order")
    }
    for pool in pools where !(1...10_000).contains(pool.instances) {
      throw .invalidValue(option: "instances", value: "\(pool.instances)", expected: "1 to 10000")
    }
  }

  /// The only pool; the first one, should there be several.
  public var pool: Pool {
    get { pools.first ?? Pool() }
    set { if pools.isEmpty { pools = [newValue] } else { pools[0] = newValue } }
  }
}
