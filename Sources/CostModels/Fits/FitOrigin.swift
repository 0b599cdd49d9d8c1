/// Where the coefficients of a kernel's fit come from, from the most to the least trustworthy.
public enum FitOrigin: String, Codable, Sendable, Hashable, CaseIterable {
  /// Fitted to measurements of this very shape.
  case measured
  /// Interpolated between, or carried over from, the fits of neighbouring shapes.
  case neighbours
  /// Fitted to the measurements of all shapes together.
  case allShapes = "all shapes"
  /// From the GPU's data sheet: bandwidth and arithmetic rate, nothing measured.
  case dataSheet = "data sheet"
  /// An estimate, whose source the calibration names.
  case estimate
}
