import Foundation
import Support

/// The measured servers that presets of engines were fitted to, `engines/fitted.csv` of the profiles: their errors say nothing of
/// predictions.
package struct FittedServers: Sendable {
  /// What a preset was fitted to: rows of a group with a number of GPUs.
  package struct Selector: Sendable, Hashable {
    package let preset: String
    /// As ``MeasuredServer/group`` has it.
    package let group: String
    package let tensorParallel: Int
  }

  package let selectors: Set<Selector>

  package init(_ selectors: Set<Selector>) { self.selectors = selectors }

  /// Reads the list of a folder of profiles; one without a list has no presets that were fitted.
  ///
  /// - Throws: a `UserError` that names the line and the column.
  package init(profiles: String) throws {
    let path = profiles + "/engines/fitted.csv"
    guard let data = FileManager.default.contents(atPath: path) else {
      self.init([])
      return
    }
    var table = try CSVReader(Array(data), file: path)
    let (preset, group, tp) = (
      try table.column("preset"), try table.column("group"), try table.column("tp")
    )
    var selectors: Set<Selector> = []
    while try table.next() {
      selectors.insert(
        Selector(
          preset: table.text(preset), group: table.text(group),
          tensorParallel: try table.integer(tp, in: 1...1 << 16)))
    }
    self.init(selectors)
  }

  /// Whether a preset was fitted to a server.
  package func contains(_ server: MeasuredServer, preset: String?) -> Bool {
    guard let preset else { return false }
    return selectors.contains(
      Selector(preset: preset, group: server.group, tensorParallel: server.tensorParallel))
  }
}
