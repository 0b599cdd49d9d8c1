import ArgumentParser
import CostModels
import Foundation

/// `sim calibrate`: fits the cost model's kernels to measured tables.
struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Fit the kernels' cost to measured tables, and say how far off the fits are.",
    discussion: """
      Reads Profiles/kernels/<gpu>/<source>/*.csv and writes Profiles/calibrations/<gpu>.json. The errors are on \
      rows that the fit has not seen.
      """)

  @Option(help: "The GPU, h100-sxm or h200-sxm, or 'all' that have tables of the source.")
  var gpu = "all"

  @Option(help: "The folder of the tables.")
  var source = "aiconfigurator-0.12.0"

  @OptionGroup var folders: ProjectFolders

  @Option(
    parsing: .upToNextOption,
    help: "Two calibration files, to be compared kernel by kernel instead of fitting anything.")
  var compare: [String] = []

  func validate() throws {
    if !compare.isEmpty, compare.count != 2 {
      throw ValidationError("--compare takes two calibration files, not \(compare.count).")
    }
  }

  func run() throws {
    if compare.count == 2 {
      print(try Calibration(path: compare[0]).comparison(with: Calibration(path: compare[1])), terminator: "")
      return
    }
    let profiles = try folders.profilesFolder()
    for gpu in try gpus(in: profiles) {
      let (calibration, report) = try calibrate(gpu: gpu, source: source, profilesDirectory: profiles)
      let path = "\(profiles)/calibrations/\(gpu).json"
      try calibration.write(path: path)
      print(report, terminator: "")
      print("written to \(path)\n")
    }
  }

  /// The GPU asked for, or all that have tables of the source.
  private func gpus(in profiles: String) throws -> [String] {
    guard gpu == "all" else { return [gpu] }
    let files = FileManager.default
    let folders = ((try? files.contentsOfDirectory(atPath: "\(profiles)/kernels")) ?? []).sorted()
    let found = folders.filter { files.fileExists(atPath: "\(profiles)/kernels/\($0)/\(source)") }
    guard !found.isEmpty else {
      throw CalibrationError.unreadable(
        path: "\(profiles)/kernels", reason: "no GPU in it has a folder of tables named '\(source)'")
    }
    return found
  }
}
