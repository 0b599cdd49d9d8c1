import Serving

/// Sends each request where a table says: a clairvoyant's choice, made by a search that has tried others.
public struct AssignedRouter: Router {
  private let instances: [Int]

  /// Creates the router.
  ///
  /// - Parameter instances: the instance of each request, by its number.
  public init(_ instances: [Int]) { self.instances = instances }

  /// The instance of the request.
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int { instances[request.id] }
}
