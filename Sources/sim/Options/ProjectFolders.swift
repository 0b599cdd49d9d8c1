import ArgumentParser
import Foundation

/// Where the data that ships with the project lies.
struct ProjectFolders: ParsableArguments {
  @Option(help: ArgumentHelp("Folder of models, GPUs, engines and calibrations.", valueName: "folder"))
  var profiles: String?

  @Option(help: ArgumentHelp("Folder of the shipped traces.", valueName: "folder"))
  var traces: String?

  func profilesFolder() throws(CommandLineError) -> String { try find("Profiles", profiles, "--profiles") }
  func tracesFolder() throws(CommandLineError) -> String { try find("Traces", traces, "--traces") }

  /// The folder given, or the one of that name here, or the nearest one above the program.
  private func find(_ name: String, _ given: String?, _ option: String) throws(CommandLineError) -> String {
    if let given {
      guard FileManager.default.fileExists(atPath: given + "/.") else {
        throw .missingFolder(name: given, option: option)
      }
      return given
    }
    var candidates = [URL(filePath: FileManager.default.currentDirectoryPath)]
    var folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      candidates.append(folder)
    }
    for candidate in candidates {
      let path = candidate.appending(path: name).path
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw .missingFolder(name: name, option: option)
  }
}
