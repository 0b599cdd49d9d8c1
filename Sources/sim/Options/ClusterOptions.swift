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
      "Prompts on some instances, the other tokens on others, as in prefill=2xTP2,decode=1xTP4; in a sweep with + "
        + "instead of the comma.", valueName: "pools"))
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
        ("--kv-transfer", kvTransfer), ("--kv-sharing", kvSharing), ("--decode-policy", decodePolicy),
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
    cluster.pool.instances = prefill.instances
    cluster.pool.system.tensorParallelSize = prefill.gpus ?? cluster.pool.system.tensorParallelSize
    decoders.name = "decode"
    decoders.role = .decode
    decoders.instances = decode.instances
    decoders.system.tensorParallelSize = decode.gpus ?? decoders.system.tensorParallelSize
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
    cluster.transfer = transfer
  }

  /// Reads `prefill=2xTP2,decode=1xTP4`; without TP the number of GPUs is that of --tp.
  private static func pools(
    _ text: String
  ) throws(CommandLineError) -> (prefill: (instances: Int, gpus: Int?), decode: (instances: Int, gpus: Int?))
  {
    let malformed = CommandLineError.badValue(
      option: "--disaggregation", value: text,
      expected: "both roles, each with a number of instances and of GPUs, as in prefill=2xTP2,decode=1xTP4")
    var found: [String: (Int, Int?)] = [:]
    for part in text.split(whereSeparator: { $0 == "," || $0 == "+" }) {
      let sides = part.split(separator: "=", omittingEmptySubsequences: false).map { $0.lowercased() }
      guard sides.count == 2, ["prefill", "decode"].contains(sides[0]), found[sides[0]] == nil else {
        throw malformed
      }
      let numbers = sides[1].components(separatedBy: "xtp")
      guard numbers.count <= 2, let instances = Int(numbers[0]), (1...10_000).contains(instances) else {
        throw malformed
      }
      guard numbers.count == 2 else {
        found[sides[0]] = (instances, nil)
        continue
      }
      guard let gpus = Int(numbers[1]), gpus > 0 else { throw malformed }
      found[sides[0]] = (instances, gpus)
    }
    guard let prefill = found["prefill"], let decode = found["decode"] else { throw malformed }
    return (prefill, decode)
  }
}
