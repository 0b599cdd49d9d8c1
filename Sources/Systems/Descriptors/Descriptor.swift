import Foundation
import Support

/// A descriptor that is a list of ``Setting``s: read from a JSON file whose objects nest as the settings' paths
/// do, each value with its source, and changed from the command line by path.
public protocol Descriptor: Sendable {
  /// What it describes, for messages: `engine`, `hardware`.
  static var kind: String { get }
  /// Every setting, in the order of help texts.
  static var settings: [Setting<Self>] { get }
  /// Whether a file has to give every setting; if not, an absent one stays neutral.
  static var requiresEverySetting: Bool { get }

  /// A descriptor with neutral values.
  init()

  /// The name that results carry.
  var name: String { get set }
  /// What is described, in one sentence.
  var summary: String { get set }
  /// Where each value that is not neutral comes from, by path.
  var provenance: [String: Provenance] { get set }
  /// Values that exclude each other, if there are such.
  var contradiction: Contradiction? { get }
}

/// A value that another value of the same descriptor excludes.
public struct Contradiction: Sendable, Hashable {
  /// The setting.
  public var path: String
  /// Its value.
  public var value: String
  /// What it would have to be.
  public var expected: String
}

extension Descriptor {
  /// None.
  public var contradiction: Contradiction? { nil }

  /// Reads a descriptor file, and names the descriptor after it.
  ///
  /// Each value is either plain or an object with `value`, `quality` and `source`; a `source` beside the
  /// values of an object holds for those of them that have none. A value without any source is an error.
  ///
  /// - Throws: ``DescriptionError``, naming file and field.
  public init(contentsOf url: URL) throws(DescriptionError) {
    self.init()
    name = url.deletingPathExtension().lastPathComponent
    let file = try DescriptionError.reading { () throws(JSONError) in
      try JSONReader.object(path: url.relativePath)
    }
    summary =
      try DescriptionError.reading { () throws(JSONError) in try file.optionalText("summary") } ?? ""
    try read(file, inherited: nil)
    if Self.requiresEverySetting {
      for setting in Self.settings where provenance[setting.path] == nil {
        throw .missing(file: file.file, field: setting.path, expected: setting.expected)
      }
    }
    if let contradiction {
      throw .invalid(
        file: file.file, field: contradiction.path, value: contradiction.value,
        expected: contradiction.expected)
    }
  }

  private mutating func read(_ object: JSONObject, inherited: Provenance?) throws(DescriptionError) {
    let own = try Self.provenance(of: object) ?? inherited
    let annotations = object.path.isEmpty ? ["summary", "quality", "source"] : ["quality", "source"]
    for field in object.members.map(\.key).sorted() where !annotations.contains(field) {
      let place = object.place(field)
      if let setting = Self.settings.first(where: { $0.path == place }) {
        try read(setting, field: field, of: object, inherited: own)
      } else if Self.settings.contains(where: { $0.path.hasPrefix(place + ".") }) {
        let inner = try DescriptionError.reading { () throws(JSONError) in
          try object.optionalObject(field)
        }
        guard let inner else { continue }
        try read(inner, inherited: own)
      } else {
        throw .unknownField(
          file: object.file, field: place, nearest: nearestName(to: place, among: Self.settings.map(\.path)))
      }
    }
  }

  private mutating func read(
    _ setting: Setting<Self>, field: String, of object: JSONObject, inherited: Provenance?
  ) throws(DescriptionError) {
    guard var value = object.value(field) else { return }
    var origin = inherited
    if case .object(let members) = value {
      let sourced = JSONObject(members, file: object.file, path: setting.path)
      for name in members.map(\.key).sorted() where !["value", "quality", "source"].contains(name) {
        throw .unknownField(
          file: object.file, field: sourced.place(name),
          nearest: nearestName(to: name, among: ["value", "quality", "source"]))
      }
      guard let inner = sourced.value("value") else {
        throw .missing(file: object.file, field: sourced.place("value"), expected: setting.expected)
      }
      value = inner
      origin = try Self.provenance(of: sourced) ?? inherited
    }
    guard setting.write(value, to: &self) else {
      throw DescriptionError(object.invalid(field, value, expected: setting.expected))
    }
    guard let origin else {
      throw .missing(
        file: object.file, field: setting.path + ".source",
        expected: "where the value comes from, beside it or in an enclosing object, with a quality")
    }
    provenance[setting.path] = origin
  }

  private static func provenance(of object: JSONObject) throws(DescriptionError) -> Provenance? {
    try DescriptionError.reading { () throws(JSONError) in try statedProvenance(of: object) }
  }

  private static func statedProvenance(of object: JSONObject) throws(JSONError) -> Provenance? {
    guard let source = try object.optionalText("source") else {
      guard let quality = object.value("quality") else { return nil }
      throw object.invalid("quality", quality, expected: "a source beside it")
    }
    let expected = "one of " + Quality.stated.map(\.rawValue).joined(separator: ", ")
    guard let text = try object.optionalText("quality") else {
      throw .missing(file: object.file, field: object.place("quality"), expected: expected)
    }
    guard let quality = Quality(rawValue: text), Quality.stated.contains(quality) else {
      throw object.invalid("quality", .text(text), expected: expected)
    }
    return Provenance(quality: quality, source: source)
  }

  /// Changes one setting, given as `path=value`: `host.per_iteration_ms=1.2`, `graphs.sizes=1,2,4`.
  ///
  /// - Throws: ``DescriptionError/unknownSetting(kind:path:nearest:)`` or
  ///   ``DescriptionError/invalidSetting(path:value:expected:)``.
  public mutating func set(_ assignment: String) throws(DescriptionError) {
    let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let path = String(parts[0])
    guard let setting = Self.settings.first(where: { $0.path == path }) else {
      throw .unknownSetting(
        kind: Self.kind, path: path, nearest: nearestName(to: path, among: Self.settings.map(\.path)))
    }
    let text = parts.count == 2 ? String(parts[1]) : ""
    guard parts.count == 2, setting.write(text, to: &self) else {
      throw .invalidSetting(path: path, value: text, expected: setting.expected)
    }
    provenance[path] = Provenance(quality: .user, source: "given on the command line")
  }

  /// A table of all settings for help texts: path, what values may be, what it is.
  public static var help: String {
    let width = settings.map(\.path.count).max() ?? 0
    return settings.map { setting in
      let padding = String(repeating: " ", count: width - setting.path.count)
      return "  \(setting.path)\(padding)  \(setting.summary) [\(setting.expected)]"
    }.joined(separator: "\n")
  }
}
