import Policies
import Serving
import Statistics

/// An estimate of what selfish routing costs, from decisions alone: cost of the routing that happened over that of the best
/// assignment of the same requests.
///
/// It tells regimes apart and is no true ratio: the best assignment would change the loads by which its latencies are forecast.
public enum AnarchyEstimate {
  /// The estimate of arXiv 2606.17081 with frozen latencies, in windows of successive decisions.
  ///
  /// In each window, every instance gets as many requests as it got, but the cheapest ones to give it: a minimum-cost assignment of
  /// requests to the places that were taken, each latency as it was forecast when the request came. What windows are
  /// and how latencies are forecast is not said there; both are ours.
  ///
  /// - Parameters:
  ///   - decisions: in order.
  ///   - window: decisions of a window; the last ones that do not fill one are left out, unless there is no other.
  /// - Returns: a ratio of at least 1 for each window.
  /// - Complexity: O(decisions x window^2).
  public static func ratios(of decisions: [RoutingLog.Decision], window: Int) -> [Double] {
    precondition(window > 0, "a window has decisions")
    let whole = decisions.count / window
    let windows =
      whole == 0 ? [decisions] : (0..<whole).map { Array(decisions[$0 * window..<($0 + 1) * window]) }
    return windows.filter { !$0.isEmpty }.map { some in
      let happened = some.reduce(0) { $0 + $1.latencies[$1.chosen] }
      let places = some.map(\.chosen)
      let best = Assignment.cheapest(rows: some.count, columns: some.count) {
        some[$0].latencies[places[$1]]
      }
      let least = best.enumerated().reduce(0) { $0 + some[$1.offset].latencies[places[$1.element]] }
      return least > 0 ? max(1, happened / least) : 1
    }
  }

  /// The least cost of requests on instances whose latencies react to how many they get.
  ///
  /// The k-th request on an instance adds what it waits and what it makes the others wait. Where that grows with k, the
  /// cheapest assignment of requests to places 1, 2, ... of all instances is the optimum.
  ///
  /// - Parameters:
  ///   - requests: their number.
  ///   - instances: their number.
  ///   - total: the sum of latencies of so many requests on an instance, convex in their number.
  /// - Returns: the least sum.
  /// - Complexity: O(requests^3 x instances).
  public static func optimum(requests: Int, instances: Int, total: (_ instance: Int, _ count: Int) -> Double)
    -> Double
  {
    let columns = requests * instances
    func added(_ place: Int) -> Double {
      let (instance, earlier) = place.quotientAndRemainder(dividingBy: requests)
      return total(instance, earlier + 1) - total(instance, earlier)
    }
    let chosen = Assignment.cheapest(rows: requests, columns: columns) { added($1) }
    return chosen.reduce(0) { $0 + added($1) }
  }
}
