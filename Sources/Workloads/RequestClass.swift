import Serving
import Statistics
import Support

/// Requests of one kind in a mix: whose they are, what they ask of the server, and who comes first.
public struct RequestClass: Sendable, Hashable {
  /// Its name in reports.
  public var name: String
  /// Its weight among the requests; shares are relative to their sum.
  public var share: Double
  /// Lower comes first, where the engine's queue is by priority.
  public var priority: Int
  /// What a good one of its requests meets; `nil` for the run's own objective.
  public var objective: ServiceObjective?

  /// Creates a class.
  public init(name: String, share: Double = 1, priority: Int = 0, objective: ServiceObjective? = nil) {
    self.name = name
    self.share = share
    self.priority = priority
    self.objective = objective
  }

  /// Most classes of a mix.
  static let most = 64

  /// Checks a mix.
  static func check(_ classes: [RequestClass]) throws(WorkloadError) {
    func fail(_ value: String, _ expected: String) -> WorkloadError {
      .invalidOption("--request-class", value: value, expected: expected)
    }
    guard classes.count <= most else { throw fail("\(classes.count)", "at most \(most) classes") }
    for (place, one) in classes.enumerated() {
      guard !one.name.isEmpty, one.name.count <= 40 else {
        throw fail(one.name.onOneLine(), "a name of 1 to 40 characters")
      }
      guard !one.name.contains(where: { ":=,;[]".contains($0) }) else {
        throw fail(one.name.onOneLine(), "a name without punctuation, as in chat[share=2,ttft=1s]")
      }
      guard (1e-6...1e6).contains(one.share) else {
        throw fail("\(one.name)[share=\(one.share)]", "a share from 1e-6 to 1e6")
      }
      guard (-1_000_000...1_000_000).contains(one.priority) else {
        throw fail("\(one.name)[priority=\(one.priority)]", "a priority from -1000000 to 1000000")
      }
      if classes[..<place].contains(where: { $0.name == one.name }) {
        throw fail(one.name, "a name that no other class has")
      }
    }
  }
}

/// Draws the classes of requests one after another, from a stream of their own.
struct ClassDraw: Sendable {
  private let classes: [RequestClass]
  private let sums: [Double]
  private var random: SplitMix64

  init(_ classes: [RequestClass], seed: UInt64) {
    self.classes = classes
    var sum = 0.0
    sums = classes.map { one in
      sum += one.share
      return sum
    }
    random = SplitMix64(seed: seed, purpose: "classes")
  }

  /// Makes a request one of a class.
  mutating func mark(_ request: inout Request) {
    guard let sum = sums.last else { return }
    let mark = random.uniform() * sum
    let place = sums.firstIndex { mark < $0 } ?? sums.count - 1
    request.tenant = Int16(place)
    request.priority = classes[place].priority
    request.objective = classes[place].objective
  }
}
