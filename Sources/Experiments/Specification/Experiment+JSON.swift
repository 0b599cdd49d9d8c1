import Foundation

extension Experiment {
  /// Reads an experiment from JSON.
  ///
  /// - Parameters:
  ///   - json: the object.
  ///   - source: where it comes from, for errors.
  /// - Throws: ``ExperimentError``, naming the member.
  public init(json: Data, from source: String) throws(ExperimentError) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      self = try decoder.decode(Experiment.self, from: json)
    } catch {
      throw ExperimentError(error, source: source)
    }
  }

  /// Reads an experiment from a file.
  ///
  /// - Throws: ``ExperimentError``, naming the file and the member.
  public init(contentsOf path: String) throws(ExperimentError) {
    guard let json = FileManager.default.contents(atPath: path) else {
      let isThere = FileManager.default.fileExists(atPath: path)
      throw .unreadable(source: path, reason: isThere ? "not a readable file" : "no such file")
    }
    try self.init(json: json, from: path)
  }

  /// The experiment as JSON on one line, members in alphabetical order: the same value has the same text.
  public var json: String { text(pretty: false) }

  /// The experiment as JSON for the eye.
  public var prettyJSON: String { text(pretty: true) }

  private func text(pretty: Bool) -> String {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("an experiment is an object of numbers, words and booleans, which JSON can hold")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
