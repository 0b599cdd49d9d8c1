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
    /// Where it is; `nil` where all pools are at one place.
    public var site: String?

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
      case name, instances, system, policy, role, site
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
      site = try object.decodeIfPresent(String.self, forKey: .site)
    }
  }

  /// A line over which KV entries go from one site to another.
  public struct Line: Sendable, Hashable, Codable {
    /// The site that sends.
    public var from: String
    /// The site that receives.
    public var to: String
    /// What it carries in this direction, in bytes a second.
    public var bytesPerSecond: Double
    /// Time that it adds to the network's latency, in seconds; `nil` for none.
    public var latency: Double?

    /// Creates a line.
    public init(from: String, to: String, bytesPerSecond: Double, latency: Double? = nil) {
      self.from = from
      self.to = to
      self.bytesPerSecond = bytesPerSecond
      self.latency = latency
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
      case from, to
      case bytesPerSecond = "bytes_per_s"
      case latency = "latency_s"
    }

    /// Reads an object.
    public init(from decoder: any Decoder) throws {
      let object = try decoder.object(of: CodingKeys.self)
      from = try object.decode(String.self, forKey: .from)
      to = try object.decode(String.self, forKey: .to)
      bytesPerSecond = try object.decode(Double.self, forKey: .bytesPerSecond)
      latency = try object.decodeIfPresent(Double.self, forKey: .latency)
    }
  }

  /// The pools: one, or some that compute prompts and one that decodes.
  public var pools: [Pool]

  /// What decides which instance serves a request; `nil` for all in turn.
  public var router: PolicySpecification?
  /// How KV entries get from one pool to the other; `nil` where there is one pool.
  public var transfer: TransferSpecification?
  /// The lines between the sites of pools; `nil` where there is one site.
  public var lines: [Line]?

  /// Creates a cluster of one pool.
  public init(_ pool: Pool = Pool(), router: PolicySpecification? = nil) {
    pools = [pool]
    self.router = router
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case pools, router, transfer, lines }

  /// Reads an object.
  public init(from decoder: any Decoder) throws {
    self.init()
    let object = try decoder.object(of: CodingKeys.self)
    try object.read(.pools, into: &pools)
    router = try object.decodeIfPresent(PolicySpecification.self, forKey: .router)
    transfer = try object.decodeIfPresent(TransferSpecification.self, forKey: .transfer)
    lines = try object.decodeIfPresent([Line].self, forKey: .lines)
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
    let isDisaggregated =
      roles.count > 1 && roles.last == "decode" && roles.dropLast().allSatisfy { $0 == "prefill" }
    guard roles == ["both"] || isDisaggregated else {
      throw .invalidValue(
        option: "pools", value: roles.isEmpty ? "0" : roles.joined(separator: ","),
        expected: "one pool without a role, or some of role prefill and behind them one of role decode")
    }
    guard pools.count <= 16 else {
      throw .invalidValue(option: "pools", value: "\(pools.count)", expected: "at most 16")
    }
    try checkSites()
    for pool in pools where !(1...10_000).contains(pool.instances) {
      throw .invalidValue(option: "instances", value: "\(pool.instances)", expected: "1 to 10000")
    }
  }

  /// Checks that KV entries find a way from each pool that computes prompts to the one that decodes.
  private func checkSites() throws(ExperimentError) {
    let sites = Set(pools.map { $0.site ?? "" })
    var known: Set<[String]> = []
    for line in lines ?? [] {
      let name = "\(line.from) to \(line.to)"
      guard line.from != line.to, sites.isSuperset(of: [line.from, line.to]) else {
        throw .invalidValue(
          option: "lines", value: name, expected: "two different sites of pools: \(sites.sorted())")
      }
      guard known.insert([line.from, line.to]).inserted else {
        throw .invalidValue(option: "lines", value: name, expected: "one line from a site to another")
      }
      guard (1e3...1e15).contains(line.bytesPerSecond) else {
        throw .invalidValue(
          option: "lines: bytes_per_s", value: "\(line.bytesPerSecond)", expected: "1e3 to 1e15")
      }
      guard (0...1000).contains(line.latency ?? 0) else {
        throw .invalidValue(
          option: "lines: latency_s", value: "\(line.latency ?? 0)", expected: "0 to 1000 seconds")
      }
    }
    guard let decode = pools.last, pools.count > 1 else { return }
    for pool in pools.dropLast() where pool.site != decode.site {
      guard known.contains([pool.site ?? "", decode.site ?? ""]) else {
        throw .invalidValue(
          option: "lines", value: "none from '\(pool.site ?? "")' to '\(decode.site ?? "")'",
          expected: "a way for KV entries from pool \(pool.name) to pool \(decode.name)")
      }
    }
  }

  /// The only pool; the first one, should there be several.
  public var pool: Pool {
    get { pools.first ?? Pool() }
    set { if pools.isEmpty { pools = [newValue] } else { pools[0] = newValue } }
  }
}
