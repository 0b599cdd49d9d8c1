/// A name with parameters, `name` or `name[key=value,...]`, as policies and routers are written.
package struct ParameterisedName {
  /// What can be wrong with one.
  package enum Fault: Error {
    /// It is not of that form.
    case malformed
    /// A parameter is given twice.
    case twice(String)
  }

  /// What stands before the brackets.
  package let name: String
  /// The parameters as they stand.
  package let parameters: [(name: String, value: String)]

  /// Reads a text.
  package init(_ text: String) throws(Fault) {
    let parts = text.split(separator: "[", maxSplits: 1, omittingEmptySubsequences: false)
    name = String(parts[0])
    var parameters: [(name: String, value: String)] = []
    if parts.count == 2 {
      guard parts[1].last == "]" else { throw .malformed }
      for pair in parts[1].dropLast().split(separator: ",", omittingEmptySubsequences: false) {
        let sides = pair.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard sides.count == 2 else { throw .malformed }
        guard !parameters.contains(where: { $0.name == sides[0] }) else { throw .twice(sides[0]) }
        parameters.append((sides[0], sides[1]))
      }
    }
    self.parameters = parameters
  }
}
