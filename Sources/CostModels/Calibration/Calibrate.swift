/// Fits all kernels of a GPU to the tables of one or several sources.
///
/// - Parameters:
///   - gpu: The GPU, as profiles name it: `h200-sxm`.
///   - sources: The folders of the tables: `aiconfigurator-0.12.0`. What kernel, in what type, the first one lacks
///     comes from the next.
///   - profilesDirectory: The folder `Profiles`. Tables are read from `kernels/<gpu>/<source>` in it, estimates of
///     kernels that they lack from `kernels/elementwise-estimates.csv`.
/// - Returns: The calibration, and a table of its errors on held-out rows.
/// - Throws: `CalibrationError`, which names the file and the line.
/// - Complexity: about a second for 20 000 rows.
public func calibrate(
  gpu: String, sources: [String], profilesDirectory: String
) throws(CalibrationError) -> (calibration: Calibration, report: String) {
  var files: [SourceFile] = []
  var kernels: [FittedKernel] = []
  var energy: EnergyFit?
  var first: Calibrator?
  for source in sources {
    let measurements = try KernelMeasurements(gpu: gpu, source: source, profiles: profilesDirectory)
    let path = "\(profilesDirectory)/kernels/\(gpu)/\(source)"
    guard let figures = measurements.figures else {
      throw .unreadable(
        path: "\(path)/device.csv", reason: "there is no such file; it holds the GPU's data-sheet figures")
    }
    let calibrator = Calibrator(measurements: measurements, figures: figures)
    if let device = first?.measurements.device, device != measurements.device {
      throw .mixedGPUs(path: path, found: measurements.device, expected: device)
    }
    for file in measurements.files where !files.contains(file) { files.append(file) }
    let known = Set(kernels.map { [$0.kernel.rawValue, $0.type] })
    kernels += try calibrator.kernels().filter { !known.contains([$0.kernel.rawValue, $0.type]) }
    if energy == nil { energy = try calibrator.energy() }
    if first == nil { first = calibrator }
  }
  guard let first else {
    throw .unreadable(path: "\(profilesDirectory)/kernels/\(gpu)", reason: "no source of tables was named")
  }
  let name = "kernels/elementwise-estimates.csv"
  let table = try KernelTable(path: "\(profilesDirectory)/\(name)")
  files.append(SourceFile(path: name, sha256: table.digest))
  let measured = Set(kernels.filter { $0.kernel == .elementwise }.map(\.type))
  let estimates = try first.estimates(table, source: name).filter { !measured.contains($0.type) }
  let calibration = Calibration(
    gpu: gpu, device: first.measurements.device, source: sources.joined(separator: " + "),
    figures: first.figures, files: files, kernels: kernels + estimates, energy: energy)
  return (calibration, calibration.report())
}
