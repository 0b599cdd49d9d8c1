import Policies
import Serving
import Workloads

extension LoadedExperiment {
  /// Requests that each thread must have to choose for between two meetings, so that it works for longer than it waits.
  ///
  /// On two cores two threads took as long as one where there were six for both, and less where there were twenty: eight
  /// is a judgement.
  private static let requestsOfThread = 4.0
  /// Requests by which it is judged how many there are between two meetings.
  private static let sample = 2000

  /// How many threads run the instances: more than one where that may be, and where it is of use.
  ///
  /// Where a router learns late of what happens, threads meet as often as it may have learnt something.
  ///
  /// - Parameter most: most threads.
  /// - Returns: a number from 1 to that.
  /// - Complexity: O(1).
  func threads(atMost most: Int) -> Int {
    guard most > 1, runsApart else { return 1 }
    guard router.delay > 0 else { return most }
    var requests = workload.makeIterator()
    var (count, meetings, meetsAt) = (0, 0, -Seconds.infinity)
    while count < Self.sample, let arrival = requests.next()?.arrival {
      count += 1
      guard arrival >= meetsAt else { continue }
      meetings += 1
      meetsAt = arrival + router.delay
    }
    return max(1, min(most, Int(Double(count) / Double(max(meetings, 1)) / Self.requestsOfThread)))
  }
}
