import CostModels
import Foundation
import Support
import Systems

/// What it takes to send rows to the experts of other ranks, `exchanges.csv` of the profiles.
enum ExchangeProfile {
  /// The law of a GPU for a number of them: that of the nearest number on the list that is not smaller, or of the largest.
  ///
  /// - Returns: the law; `nil` for a GPU that is not on the list. A number that is not on it makes an estimate.
  /// - Throws: a `UserError` that names the line and the column.
  static func law(of gpu: String, gpus: Int, profiles: String) throws -> ExpertExchange.Law? {
    let path = profiles + "/exchanges.csv"
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    var table = try CSVReader(Array(data), file: path)
    let columns = try ["gpu", "gpus", "phase", "launch_s", "s_per_byte", "quality"].map {
      try table.column($0)
    }
    var ways: [Int: [ExpertExchange.Phase: [(launch: Double, perByte: Double)]]] = [:]
    var isMeasured = true
    while try table.next() {
      let size = try table.integer(columns[1], in: 2...1 << 16)
      guard let phase = ExpertExchange.Phase(rawValue: table.text(columns[2])) else {
        throw table.invalid(columns[2], expected: "dispatch or combine")
      }
      let way = (
        try table.number(columns[3], in: 0...1, expected: "a number of seconds"),
        try table.number(columns[4], in: 0...1, expected: "a number of seconds")
      )
      guard table.text(columns[0]) == gpu else { continue }
      isMeasured = isMeasured && table.text(columns[5]) == Quality.measured.rawValue
      ways[size, default: [:]][phase, default: []].append(way)
    }
    let sizes = ways.keys.sorted()
    guard let size = sizes.first(where: { $0 >= gpus }) ?? sizes.last, let known = ways[size],
      let dispatch = known[.dispatch], let combine = known[.combine]
    else { return nil }
    return ExpertExchange.Law(
      dispatch: Array(dispatch.prefix(2)), combine: Array(combine.prefix(2)),
      quality: isMeasured && size == gpus ? .measured : .estimate)
  }
}
