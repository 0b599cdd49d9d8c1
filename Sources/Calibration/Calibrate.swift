import CostModels
import Foundation
import Systems

/// Fits all kernels of a GPU to the tables of one or several sources.
///
/// - Parameters:
///   - gpu: The GPU, as profiles name it: `h200-sxm`.
///   - sources: The folders of the tables: `aiconfigurator-0.12.0`. Shapes that the first one lacks come from the
///     next.
///   - profilesDirectory: The folder `Profiles`. Tables are read from `kernels/<gpu>/<source>` in it, estimates of
///     kernels that they lack from `kernels/elementwise-estimates.csv`.
/// - Returns: The calibration; a table of its errors on held-out rows; and notes: what was left out of the tables, and how far
///   off prices are on layers of experts that several ranks share.
/// - Throws: `CalibrationError`, which names the file and the line.
/// - Complexity: about a second for 20 000 rows.
public func calibrate(
  gpu: String, sources: [String], profilesDirectory: String
) throws(CalibrationError) -> (calibration: Calibration, report: String, notes: String) {
  var measurements = try KernelMeasurements(gpu: gpu, sources: sources, profiles: profilesDirectory)
  guard var figures = measurements.figures else {
    let path = "\(profilesDirectory)/kernels/\(gpu)/\(sources[0])/device.csv"
    throw .unreadable(path: path, reason: "there is no such file; it holds the GPU's data-sheet figures")
  }
  let hardware = try? ProfileFolder(URL(fileURLWithPath: profilesDirectory)).hardware(gpu)
  figures.l2Bytes = hardware.map { Double($0.l2Bytes) }
  let name = "kernels/elementwise-estimates.csv"
  let table = try KernelTable(path: "\(profilesDirectory)/\(name)")
  measurements.files.append(SourceFile(path: name, sha256: table.digest))
  let calibrator = Calibrator(measurements: measurements, figures: figures)
  let fitted = try calibrator.kernels()
  let measured = Set(fitted.filter { $0.kernel == Elementwise.name }.map(\.type))
  let estimates = try Elementwise.estimates(table, source: name, figures: figures).filter {
    !measured.contains($0.type)
  }
  let calibration = Calibration(
    gpu: gpu, device: measurements.device, source: sources.joined(separator: " + "), figures: figures,
    files: measurements.files, kernels: fitted + estimates, energy: try calibrator.energy())
  let leftOut = measurements.untuned.map {
    "left out, \($0): over \(Experts.untunedRatio) times as long as in 16 bits, a judgement\n"
  }
  let notes = calibration.sharedExpertsReport(measurements.sharedExperts) + leftOut.joined()
  return (calibration, calibration.report(), notes)
}
