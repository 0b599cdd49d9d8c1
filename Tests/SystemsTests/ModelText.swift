import Support

@testable import Systems

extension ModelDescription {
  /// The model `t` of a configuration's text.
  init(configuration text: String) throws {
    try self.init(
      name: "t", config: JSONReader.object(Array(text.utf8), file: "t.json", allowsInfinity: true),
      folder: nil)
  }
}
