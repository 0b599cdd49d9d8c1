import ArgumentParser
import Experiments
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

  /// Changes a cluster of one instance to what was asked for.
  func apply(to cluster: inout ClusterSpecification) throws {
    guard (1...10_000).contains(replicas) else {
      throw CommandLineError.badValue(option: "--replicas", value: "\(replicas)", expected: "1 to 10000")
    }
    cluster.pool.instances = replicas
    cluster.router = try router.map { PolicySpecification(parsing: try RouterChoice($0).description) }
  }
}
