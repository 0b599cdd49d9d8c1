import ArgumentParser
import Exports
import Foundation
import ResultStore
import Support

/// What a run is exported to, beside its database.
struct ExportOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Write a timeline that ui.perfetto.dev opens.", valueName: "file"))
  var timeline: String?

  @Flag(help: "Write a result file as 'vllm bench serve --save-result' does.")
  var saveResult = false

  @Option(help: ArgumentHelp("The folder of the result file; it is created.", valueName: "folder"))
  var resultDir: String?

  @Option(help: ArgumentHelp("The result file's name. Default: as vLLM calls it.", valueName: "name"))
  var resultFilename: String?

  @OptionGroup var vLLM: VLLMResultOptions

  /// Checks what can be known before the run, which may take long.
  func validateValues(log: LogLevel?) throws(CommandLineError) {
    _ = try vLLM.load()
    if !saveResult, vLLM.saveDetailed || resultDir != nil || resultFilename != nil {
      throw .contradiction(
        "--save-detailed, --result-dir and --result-filename say how; --save-result is missing")
    }
    let asked = timeline != nil ? "--timeline" : saveResult ? "--save-result" : nil
    guard let asked else { return }
    guard let log else { throw .contradiction("\(asked) is made from the log; leave out --no-db") }
    if log == .requests, timeline != nil || vLLM.saveDetailed {
      let needs = timeline != nil ? "--timeline" : "--save-detailed"
      throw .contradiction("\(needs) needs iterations, which --log requests leaves out")
    }
  }

  /// Writes what was asked for of a run that has just been logged.
  ///
  /// - Returns: what was written, a line each.
  func write(run: Int64, of database: String) throws -> [String] {
    guard timeline != nil || saveResult else { return [] }
    let reader = try ResultReader(path: database)
    var notes: [String] = []
    if let timeline {
      let file = try WholeFile(path: timeline)
      try Timeline(reader: reader, run: run).write(to: file)
      try file.finish()
      notes.append("Timeline in \(timeline), for ui.perfetto.dev.")
    }
    if saveResult {
      let result = try VLLMResult(reader: reader, run: run, format: vLLM.load())
      var path = resultFilename ?? result.fileName
      if let resultDir {
        try createFolder(resultDir)
        path = resultDir + "/" + path
      }
      let file = try WholeFile(path: path)
      try result.write(to: file)
      try file.finish()
      notes.append("Result in \(path).")
    }
    return notes
  }

  private func createFolder(_ path: String) throws(FileError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .cannotCreate(path: path, reason: "the folder cannot be created")
    }
  }
}
