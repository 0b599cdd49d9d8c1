import Systems

extension ModelDescription {
  /// The model with another attention in place of its own.
  ///
  /// - Parameter attention: what was asked for, as `--attention` takes it: `cca[q=2,kv=8]`.
  /// - Returns: the model, whose name says so.
  /// - Throws: if there is no such attention, or the model cannot have it.
  func having(_ attention: PolicySpecification) throws -> ModelDescription {
    let parameters = try MethodParameters(
      attention, option: "--attention", named: "cca", knowing: ["q", "kv"],
      example:
        "cca[q=2,kv=8]: compressed convolutional attention with half of the query heads, and an eighth for KV"
    )
    return try compressed(
      queries: parameters.integer("q", in: 1...65_536), keyValues: parameters.integer("kv", in: 1...65_536))
  }
}
