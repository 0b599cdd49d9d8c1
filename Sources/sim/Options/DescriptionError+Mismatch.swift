import Systems

extension DescriptionError {
  /// Whether it says that a model and a number of GPUs do not go together.
  var isMismatch: Bool {
    switch self {
    case .mismatch, .indivisible: true
    default: false
    }
  }
}
