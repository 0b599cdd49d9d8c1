import ArgumentParser
import Experiments
import Foundation
import Policies

/// How many instances there are, and what decides which of them serves a request.
struct ClusterOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Equal servers behind a router, each on GPUs of its own.", valueName: "n"))
  var replicas = 1

  @Option(
    help: ArgumentHelp(
      "What decides which replica serves a request (see 'sim list routers'), with parameters as in "
        + "kv[temperature=0.5]. Default: round-robin.", valueName: "name"))
  var router: String?

  @Option(
    help: ArgumentHelp(
      "Prompts on some instances, the other tokens on others, as in prefill=2xTP2,decode=1xTP4, with ranks (DP) and "
        + "shared-out experts (EP) in prefill=2xTP4EP4,decode=1xDP8EP8, or with stages (PP) in prefill=2xTP4PP2,decode=1xTP8; "
        + "in a sweep with + instead of the comma.",
      valueName: "pools"))
  var disaggregation: String?

  @Option(
    help: ArgumentHelp(
      "The network between them: nvlink4, ndr400, eth100, ... (see Profiles/links.csv). Default: ndr400.",
      valueName: "name"))
  var kvLink: String?

  @Option(help: ArgumentHelp("What it carries each way for an instance, instead.", valueName: "GB/s"))
  var kvBandwidth: Double?

  @Option(help: ArgumentHelp("Its latency, instead.", valueName: "us"))
  var kvLatency: Double?

  @Option(
    help: ArgumentHelp(
      "What is sent when: whole prompts, each chunk when it is through, or what a step has computed of a group of "
        + "layers (group). Default: whole.", valueName: "mode"))
  var kvTransfer: String?

  @Option(
    help: ArgumentHelp("How transfers share the network: fair or fifo. Default: fair.", valueName: "rule"))
  var kvSharing: String?

  @Option(
    help: ArgumentHelp(
      "Which pool gives the first token to the client: prefill, or decode as a sequence begins to decode there. "
        + "Default: prefill.", valueName: "role"))
  var firstToken: String?

  @Option(
    help: ArgumentHelp(
      "Which instance decodes a prompt: that with the fewest to decode (fewest), or all in turn (in-turn). Default: "
        + "fewest.", valueName: "rule"))
  var decodeRouter: String?

  @Option(
    help: ArgumentHelp(
      "The policy of the instances that decode. Default: that of the others.", valueName: "name"))
  var decodePolicy: String?

  /// Changes a cluster of one instance to what was asked for.
  func apply(to cluster: inout ClusterSpecification) throws {
    guard (1...10_000).contains(replicas) else {
      throw CommandLineError.badValue(option: "--replicas", value: "\(replicas)", expected: "1 to 10000")
    }
    cluster.pool.instances = replicas
    cluster.router = try router.map { PolicySpecification(parsing: try RouterChoice($0).description) }
    guard let disaggregation else {
      let others: [(String, Any?)] = [
        ("--kv-link", kvLink), ("--kv-bandwidth", kvBandwidth), ("--kv-latency", kvLatency),
        ("--kv-transfer", kvTransfer), ("--kv-sharing", kvSharing), ("--first-token", firstToken),
        ("--decode-router", decodeRouter),
        ("--decode-policy", decodePolicy),
      ]
      if let lonely = others.first(where: { $0.1 != nil }) {
        throw CommandLineError.contradiction(
          "\(lonely.0): KV entries move with --disaggregation only, as in prefill=2xTP2,decode=1xTP4")
      }
      return
    }
    guard replicas == 1 else {
      throw CommandLineError.contradiction("--replicas: --disaggregation says how many instances there are")
    }
    let (prefill, decode) = try Self.pools(disaggregation)
    var decoders = cluster.pool
    cluster.pool.name = "prefill"
    cluster.pool.role = .prefill
    prefill.apply(to: &cluster.pool)
    decoders.name = "decode"
    decoders.role = .decode
    decode.apply(to: &decoders)
    if let decodePolicy {
      decoders.policy = PolicySpecification(parsing: try Policy(decodePolicy).description)
    }
    cluster.pools.append(decoders)
    var transfer = TransferSpecification()
    transfer.mode = kvTransfer ?? transfer.mode
    transfer.link = kvLink ?? transfer.link
    transfer.bytesPerSecond = kvBandwidth.map { $0 * 1e9 }
    transfer.latency = kvLatency.map { $0 * 1e-6 }
    transfer.sharing = kvSharing ?? transfer.sharing
    transfer.firstToken = firstToken
    transfer.choice = decodeRouter
    cluster.transfer = transfer
  }

  /// Reads `prefill=2xTP4EP4,decode=1xDP8EP8`; what is not said of GPUs is as of --tp and its like.
  private static func pools(_ text: String) throws(CommandLineError) -> (
    prefill: PoolLayout, decode: PoolLayout
  ) {
    var found: [String: PoolLayout] = [:]
    for part in text.split(whereSeparator: { $0 == "," || $0 == "+" }) {
      let sides = part.split(separator: "=", omittingEmptySubsequences: false).map { $0.lowercased() }
      guard sides.count == 2, ["prefill", "decode"].contains(sides[0]), found[sides[0]] == nil,
        let layout = PoolLayout(parsing: sides[1])
      else { throw malformed(text) }
      found[sides[0]] = layout
    }
    guard let prefill = found["prefill"], let decode = found["decode"] else { throw malformed(text) }
    return (prefill, decode)
  }

  private static func malformed(_ text: String) -> CommandLineError {
    .badValue(
      option: "--disaggregation", value: text,
      expected:
        "both roles, each with a number of instances and of GPUs, as in prefill=2xTP2,decode=1xTP4 or "
        + "prefill=2xTP4EP4,decode=1xDP8EP8")
  }
}

/// How many instances a pool has, and how each is spread over GPUs, as in `2xTP4EP4`.
private struct PoolLayout {
  var instances: Int
  var tensorParallel: Int?
  var dataParallel: Int?
  var expertParallel: Int?
  var pipelineParallel: Int?

  /// Reads a layout in small letters; nil if it is none.
  init?(parsing text: String) {
    let parts = text.split(separator: "x", maxSplits: 1, omittingEmptySubsequences: false)
    guard let instances = Int(parts[0]), (1...10_000).contains(instances) else { return nil }
    self.instances = instances
    guard parts.count == 2 else { return }
    var rest = parts[1]
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let name = rest.prefix(2)
      rest = rest.dropFirst(2)
      let digits = rest.prefix(while: \.isNumber)
      rest = rest.dropFirst(digits.count)
      guard let degree = Int(digits), degree > 0 else { return nil }
      switch name {
      case "tp" where tensorParallel == nil: tensorParallel = degree
      case "dp" where dataParallel == nil: dataParallel = degree
      case "ep" where expertParallel == nil: expertParallel = degree
      case "pp" where pipelineParallel == nil: pipelineParallel = degree
      default: return nil
      }
    }
  }

  /// Changes a pool; where ranks are given and no GPUs, each rank has one.
  func apply(to pool: inout ClusterSpecification.Pool) {
    pool.instances = instances
    let sharesOut = pool.system.expertParallelSize != nil
    if let degree = tensorParallel ?? dataParallel.map({ _ in 1 }) { pool.system.tensorParallelSize = degree }
    if let dataParallel { pool.system.dataParallelSize = dataParallel == 1 ? nil : dataParallel }
    if let pipelineParallel {
      pool.system.pipelineParallelSize = pipelineParallel == 1 ? nil : pipelineParallel
      if pipelineParallel == 1 { pool.system.pipelineLink = nil }
    }
    pool.system.expertParallelSize = expertParallel ?? (sharesOut ? pool.system.gpusOfStage : nil)
    if pool.system.expertParallelSize == 1 { pool.system.expertParallelSize = nil }
  }
}
