/// How a number came about.
public enum Quality: String, Sendable, Hashable, CaseIterable {
  /// Measured directly.
  case measured
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
}
