import ArgumentParser
import Experiments
import Foundation
import ResultStore
import Serving
import Statistics

/// `sim offload`: which prompts to compute at another site.
struct OffloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "offload",
    abstract: "Find which prompts to compute at another site, by the formulas of Prefill as a Service.",
    discussion: """
      Prompts beyond a threshold are computed at another site, whose KV entries come back over one line; of the local instances \
      some compute the other prompts, and the rest decode (arXiv 2604.15039). Found are the threshold, the split and the rate \
      that all parts hold, beside those of the same local instances alone and of all prompts at the other site. Tables of times and \
      bytes are in Profiles/tables.csv; the defaults are the paper's case study. 'sim run --from' simulates a cluster with sites.

      Examples:
        sim offload
        sim offload --egress 2.5 --remote-instances 2
        sim offload --threshold 16384 --prefill-instances 3
      """)

  @Option(help: ArgumentHelp("Times and KV bytes of prompts at the other site.", valueName: "table"))
  var remoteTable = "prfaas-h200"

  @Option(help: ArgumentHelp("Instances there.", valueName: "n"))
  var remoteInstances = 4

  @Option(help: ArgumentHelp("What the line from there carries.", valueName: "GB/s"))
  var egress = 12.5

  @Option(help: ArgumentHelp("Times of prompts here.", valueName: "table"))
  var localTable = "prfaas-h20"

  @Option(help: ArgumentHelp("Instances here, for prompts and decoding.", valueName: "n"))
  var localInstances = 8

  @Option(help: ArgumentHelp("Requests that an instance here decodes.", valueName: "req/s"))
  var decodeRate = 0.782

  @Option(help: ArgumentHelp("Mean of the logarithm of prompt lengths.", valueName: "number"))
  var mu = 9.9

  @Option(help: ArgumentHelp("Its deviation.", valueName: "number"))
  var sigma = 1.0

  @Option(help: ArgumentHelp("Shortest prompt.", valueName: "tokens"))
  var shortest = 128

  @Option(help: ArgumentHelp("Longest prompt.", valueName: "tokens"))
  var longest = 131_072

  @Option(
    help: ArgumentHelp("A threshold instead of the best; with --prefill-instances.", valueName: "tokens"))
  var threshold: Double?

  @Option(help: ArgumentHelp("Local instances for prompts; with --threshold.", valueName: "n"))
  var prefillInstances: Int?

  @OptionGroup var folders: ProjectFolders

  @Flag(help: "Print the table as JSON.")
  var json = false

  func run() throws {
    func check(_ option: String, _ value: Double, _ range: ClosedRange<Double>) throws {
      guard range.contains(value) else {
        throw CommandLineError.badValue(
          option: option, value: String(format: "%g", value),
          expected: String(format: "%g to %g", range.lowerBound, range.upperBound))
      }
    }
    try check("--remote-instances", Double(remoteInstances), 1...10_000)
    try check("--local-instances", Double(localInstances), 2...10_000)
    try check("--egress", egress, 1e-6...1e6)
    try check("--decode-rate", decodeRate, 1e-6...1e6)
    try check("--mu", mu, 0...20)
    try check("--sigma", sigma, 0.01...5)
    try check("--shortest", Double(shortest), 1...1e7)
    try check("--longest", Double(longest), Double(shortest + 1)...1e8)
    guard (threshold == nil) == (prefillInstances == nil) else {
      throw CommandLineError.contradiction("--threshold and --prefill-instances go together")
    }
    if let threshold { try check("--threshold", threshold, 0...1e8) }
    if let prefillInstances {
      try check("--prefill-instances", Double(prefillInstances), 1...Double(localInstances - 1))
    }
    let lengths = TruncatedLogNormal(mu: mu, sigma: sigma, range: Double(shortest)...Double(longest))
    guard lengths.mean.isFinite, lengths.mean > Double(shortest) else {
      throw CommandLineError.contradiction(
        "--mu, --sigma: no prompt is from \(shortest) to \(longest) tokens long")
    }
    let profiles = try folders.profilesFolder()
    let remote = try PromptTable.named(remoteTable, profiles: profiles)
    let service = PrefillService(
      remoteInstances: remoteInstances, remoteSeconds: remote.seconds, bytes: remote.bytes,
      egress: egress * 1e9, localInstances: localInstances,
      localSeconds: try PromptTable.named(localTable, profiles: profiles).seconds, decodeRate: decodeRate,
      lengths: lengths)
    var rows: [(String, PrefillService.Split)] = []
    if let threshold, let prefillInstances {
      rows.append(("as asked for", service.split(threshold: threshold, prefillInstances: prefillInstances)))
    }
    rows.append(("best split", service.best()))
    rows.append(("local alone", service.bestWithout(instances: localInstances)))
    rows.append(
      ("as many local", service.bestWithout(instances: localInstances + remoteInstances)))
    rows.append(("all remote", service.split(threshold: 0, prefillInstances: 0)))
    print(Self.table(rows).formatted(as: json ? .json : .table), terminator: "")
  }

  private static func table(_ rows: [(String, PrefillService.Split)]) -> ResultTable {
    ResultTable(
      columns: [
        "split", "threshold_tokens", "prefill_instances", "remote_share", "remote_rate", "prefill_rate",
        "decode_rate", "request_rate", "egress_gbit_s",
      ],
      rows: rows.map { name, split in
        func finite(_ value: Double) -> RunValue { value.isFinite ? RunValue(value) : .null }
        return [
          .text(name), RunValue(split.threshold.rounded()), RunValue(split.prefillInstances),
          RunValue(split.remoteShare), finite(split.remote), finite(split.prefill), RunValue(split.decode),
          RunValue(split.capacity), RunValue(split.egress * 8e-9),
        ]
      })
  }
}
