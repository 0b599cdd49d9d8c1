import Foundation
import Workloads

/// The traces that ship with the project.
enum Shipped {
  static let directory = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Traces").path

  static let names = ["arxiv", "azure-code", "azure-conv", "mooncake", "sharegpt"]

  /// A shipped length model.
  static func model(_ name: String) throws -> LengthModel {
    guard case .model(let model) = try TraceFile.read("\(directory)/\(name).json") else {
      throw WorkloadError.unsupported(file: name, what: "no model", instead: "")
    }
    return model
  }

  /// What the file of a length model says about the traffic it was made from.
  static func statistics(_ name: String) throws -> Statistics {
    struct File: Decodable { var stats: Statistics }
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name).json"))
    return try JSONDecoder().decode(File.self, from: data).stats
  }

  struct Statistics: Decodable {
    struct Lengths: Decodable { var mean, std, p10, p50, p90, p99: Double }
    var prompt: Lengths
    var output: Lengths
  }
}
