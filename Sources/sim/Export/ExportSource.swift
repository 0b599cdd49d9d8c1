import ArgumentParser
import ResultStore

/// Where an export comes from and where it goes.
struct ExportSource: ParsableArguments {
  @Option(help: ArgumentHelp("The SQLite database.", valueName: "file"))
  var db = RunWriter.defaultPath

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write; '-' is standard output.", valueName: "file"))
  var output = "-"
}
