import Foundation
import Systems

/// What the measured kernels of one GPU were fitted to: coefficients, how sure they are, and where they come from.
///
///     let calibration = try Calibration(path: "Profiles/calibrations/h200-sxm.json")
///     let projection = calibration.fit(MatrixProduct.Shape(n: 5120, k: 2048))
///     projection.seconds(512)              // 0.0000146...
///     projection.quality                   // .measured
///
/// A lookup never fails: a shape that was not measured gets the nearest thing there is, and its `quality` says so.
/// Look fits up once, when a model is set up; the fits themselves are small values whose evaluation allocates
/// nothing.
public struct Calibration: Codable, Sendable, Hashable {
  /// The GPU, as profiles name it: `h200-sxm`.
  public let gpu: String
  /// The GPU, as its driver names it: `NVIDIA H200`.
  public let device: String
  /// The source of the measurements: `aiconfigurator-0.12.0`.
  public let source: String
  /// What the fits need to know of the GPU.
  public let figures: DeviceFigures
  /// The files that the calibration was made from.
  public let files: [SourceFile]
  /// The fits.
  public let kernels: [FittedKernel]
  /// Joules of a byte and of an operation, and watts at rest; nil where no power was measured.
  public let energy: EnergyFit?
  /// The draw that lookups are subject to; no part of the file.
  var perturbation: Perturbation?
  /// Whether the kernels are those of the engine that runs; used in draws alone.
  var hasEnginesKernels = true

  enum CodingKeys: String, CodingKey {
    case gpu, device, source, figures, files, kernels, energy
  }

  /// Reads a calibration file.
  ///
  /// - Throws: `CalibrationError` if there is no such file, or if it is not a calibration.
  /// - Complexity: O(n); a few milliseconds.
  public init(path: String) throws(CalibrationError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw .unreadable(path: path, reason: "there is no such calibration; 'sim calibrate' makes one")
    }
    do {
      self = try JSONDecoder().decode(Calibration.self, from: data)
    } catch {
      throw .malformed(path: path, line: 0, problem: "not a calibration: \(Self.explanation(error))")
    }
    if let energy {
      let values = [
        energy.idleWatts, energy.busyWatts, energy.perBytePicojoules, energy.perFLOPPicojoules,
        energy.heldOut.median,
      ]
      guard values.allSatisfy({ $0.isFinite && (0...1e6).contains($0) }) else {
        throw .malformed(path: path, line: 0, problem: "energy: expected coefficients that are not negative")
      }
    }
    for kernel in kernels {
      for shape in kernel.shapes
      where shape.values.count != kernel.coefficients.count
        || shape.dimensions.count != kernel.dimensions.count
        || !zip(kernel.dimensions, shape.dimensions).allSatisfy({ name, size in
          (name == "window" ? 0...Self.largestSize : 1...Self.largestSize).contains(size)
        })
        || !shape.values.allSatisfy({ $0.isFinite && (0...1e6).contains($0) })
      {
        let problem =
          "\(kernel.kernel) \(shape.dimensions): expected "
          + "\(kernel.dimensions.count) dimensions of 1 or more and \(kernel.coefficients.count) coefficients, none negative"
        throw .malformed(path: path, line: 0, problem: problem)
      }
    }
  }

  /// No size of a kernel is larger.
  private static let largestSize = 1 << 31

  /// What is wrong with JSON, in one line: where, and what.
  private static func explanation(_ error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String {
      path.isEmpty
        ? "" : path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".") + ": "
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context): return "\(place(context.codingPath + [key]))is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      return place(context.codingPath) + context.debugDescription
    default: return error.localizedDescription
    }
  }

  package init(
    gpu: String, device: String, source: String, figures: DeviceFigures, files: [SourceFile],
    kernels: [FittedKernel], energy: EnergyFit? = nil
  ) {
    self.gpu = gpu
    self.device = device
    self.source = source
    self.figures = figures
    self.files = files
    self.kernels = kernels
    self.energy = energy
  }

  /// The fits of a kernel in a type.
  package func shapes(of kernel: String, _ type: String) -> [FittedShape] {
    kernels.first { $0.kernel == kernel && $0.type == type }?.shapes ?? []
  }

  /// The errors of a kernel in a type on held-out rows, all shapes together.
  package func heldOut(_ kernel: String, _ type: String) -> ErrorSummary? {
    kernels.first { $0.kernel == kernel && $0.type == type }?.heldOut
  }
}
