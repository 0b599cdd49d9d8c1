/// The instances that serve a workload: pools of equal ones behind a router.
public struct ClusterSpecification: Sendable, Hashable, Codable {
  /// Equal instances: the same system under the same policy.
  public struct Pool: Sendable, Hashable, Codable {
    /// Its name in results.
    public var name: String
    /// Its instances, one at least.
    public var instances: Int
    /// What each of them is.
    public var system: SystemSpecification
    /// What decides about each iteration; `nil` for the engine's own policy.
    public var policy: PolicySpecification?

    /// Creates a pool.
    public init(
      name: String = "all", instances: Int = 1, system: SystemSpecification = SystemSpecification(),
      policy: PolicySpecification? = nil
    ) {
      self.name = name
      self.instances = instances
      self.system = system
      self.policy = policy
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
      case name, instances, system, policy
    }

    /// Reads an object; members that it lacks keep their defaults.
    public init(from decoder: any Decoder) throws {
      self.init()
      let object = try decoder.object(of: CodingKeys.self)
      try object.read(.name, into: &name)
      try object.read(.instances, into: &instances)
      try object.read(.system, into: &system)
      policy = try object.decodeIfPresent(PolicySpecification.self, forKey: .policy)
    }
  }

  /// The pools; a simulation has exactly one so far.
  public var pools: [Pool]

  /// What decides which instance serves a request; `nil` for all in turn.
  public var router: PolicySpecification?

  /// Creates a cluster of one pool.
  public init(_ pool: Pool = Pool(), router: PolicySpecification? = nil) {
    pools = [pool]
    self.router = router
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case pools, router }

  /// Reads an object.
  public init(from decoder: any Decoder) throws {
    self.init()
    let object = try decoder.object(of: CodingKeys.self)
    try object.read(.pools, into: &pools)
    router = try object.decodeIfPresent(PolicySpecification.self, forKey: .router)
  }

  /// The only pool; the first one, should there be several.
  public var pool: Pool {
    get { pools.first ?? Pool() }
    set { if pools.isEmpty { pools = [newValue] } else { pools[0] = newValue } }
  }
}
