/// How a number came about.
public enum Quality: String, Codable, Sendable, Hashable, CaseIterable {
  /// Measured directly, or fitted to measurements of the very thing.
  case measured
  /// Interpolated between, or carried over from, fits to measurements of similar things.
  case neighbours
  /// Fitted to measurements of all things of its kind together.
  case allShapes = "all shapes"
  /// Printed in a data sheet or a vendor's documentation.
  case dataSheet = "data-sheet"
  /// Read off an engine's public source code.
  case sourceCode = "source-code"
  /// Fitted to published or measured results.
  case fitted
  /// Reasoned from other numbers; good to perhaps a factor of two.
  case estimate
  /// Chosen, not observed: an idealisation, or a placeholder.
  case assumption
  /// Given by the user on the command line.
  case user

  /// The qualities that a descriptor's file can state.
  static let stated = allCases.filter { ![.neighbours, .allShapes].contains($0) }
}
