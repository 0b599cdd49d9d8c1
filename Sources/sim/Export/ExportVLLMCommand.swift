import ArgumentParser
import Exports
import ResultStore
import Support

/// `sim export vllm`: a run as `vllm bench serve --save-result` writes it.
struct ExportVLLMCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vllm",
    abstract: "Write a run with the keys of 'vllm bench serve --save-result' (vLLM \(VLLMResult.version)).")

  @Option(name: .customLong("run"), help: ArgumentHelp("The run. Default: the latest.", valueName: "id"))
  var runID: Int64?

  @OptionGroup var source: ExportSource
  @OptionGroup var format: VLLMResultOptions

  func run() throws {
    let format = try format.load()
    let reader = try ResultReader(path: source.db)
    let run = try reader.existingRun(runID)
    try warnOfDamage(run, in: reader)
    let result = try VLLMResult(reader: reader, run: run, format: format)
    let file = try WholeFile(path: source.output)
    try result.write(to: file)
    try file.finish()
  }
}
