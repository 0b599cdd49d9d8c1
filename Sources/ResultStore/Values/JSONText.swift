/// JSON objects of plain values, their keys in a given order.
package enum JSONText {
  /// One object on one line.
  package static func object(_ pairs: [(String, RunValue)]) -> String {
    "{" + pairs.map { "\(RunValue($0.0).json): \($0.1.json)" }.joined(separator: ", ") + "}"
  }
}
