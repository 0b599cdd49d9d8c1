import Foundation
import Support

/// A network between instances, a row of `links.csv` of the profiles.
package struct LinkProfile: Sendable, Hashable {
  /// What `--kv-link` and `--pipeline-link` call it.
  package let name: String
  /// What it carries each way, in bytes a second.
  package let bytesPerSecond: Double
  /// Whether each GPU has a port of its own, rather than each instance.
  package let isPerGPU: Bool
  /// Time from the moment a byte leaves until it is there.
  package let latency: Double
  /// How the figures came about, and where they are from.
  package let quality: String
  package let source: String

  /// Reads the networks of a folder of profiles.
  ///
  /// - Throws: a `UserError` that names the line and the column.
  package static func all(profiles: String) throws -> [LinkProfile] {
    let path = profiles + "/links.csv"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ExperimentError.unreadable(source: path, reason: "no such file")
    }
    var table = try CSVReader(Array(data), file: path)
    let columns = try ["name", "bytes_per_s", "per", "latency_s", "quality", "source"].map {
      try table.column($0)
    }
    var links: [LinkProfile] = []
    while try table.next() {
      links.append(
        LinkProfile(
          name: table.text(columns[0]),
          bytesPerSecond: try table.number(
            columns[1], in: 1...1e15, expected: "a positive number of bytes a second"),
          isPerGPU: table.text(columns[2]) == "gpu",
          latency: try table.number(columns[3], in: 0...1e3, expected: "a number of seconds"),
          quality: table.text(columns[4]), source: table.text(columns[5])))
    }
    return links
  }

  /// The network of a name.
  package static func named(
    _ name: String, profiles: String, option: String = "--kv-link"
  ) throws -> LinkProfile {
    let links = try all(profiles: profiles)
    if let link = links.first(where: { $0.name == name }) { return link }
    let nearest = nearestName(to: name, among: links.map(\.name)).map { "'\($0)', or one" }
    throw ExperimentError.invalidValue(
      option: option, value: name,
      expected: "\(nearest ?? "one") of \(links.map(\.name).joined(separator: ", "))")
  }
}
