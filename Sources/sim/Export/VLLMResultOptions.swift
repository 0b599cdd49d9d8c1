import ArgumentParser
import Exports

/// What goes into a file of vLLM's shape; names as in `vllm bench serve`.
struct VLLMResultOptions: ParsableArguments {
  @Flag(help: "Include each request: lengths, start times, TTFTs, ITLs, errors.")
  var saveDetailed = false

  @Option(
    help: ArgumentHelp(
      "Latencies whose mean, median, deviation and percentiles are written: ttft, tpot, itl, e2el.",
      valueName: "list"))
  var percentileMetrics = "ttft,tpot,itl"

  @Option(help: "The label of the result.")
  var label: String?

  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("Further entries of the result.", valueName: "key=value"))
  var metadata: [String] = []

  func load() throws(CommandLineError) -> VLLMResult.Format {
    var format = VLLMResult.Format(isDetailed: saveDetailed, label: label)
    for text in metadata {
      guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
        throw .badValue(option: "--metadata", value: text, expected: "key=value")
      }
      format.metadata.append((String(text[..<sign]), String(text[text.index(after: sign)...])))
    }
    format.metrics = percentileMetrics.split(separator: ",", omittingEmptySubsequences: false).map(
      String.init)
    for metric in format.metrics where !VLLMResult.metrics.contains(metric) {
      throw .badValue(
        option: "--percentile-metrics", value: percentileMetrics,
        expected: "some of \(VLLMResult.metrics.joined(separator: ",")), as in ttft,itl")
    }
    return format
  }
}
