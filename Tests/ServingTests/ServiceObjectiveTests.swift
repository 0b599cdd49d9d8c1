import Serving
import Statistics
import Testing

@Suite struct ServiceObjectiveTests {
  /// Sent at 0: first token after 1 s, then gaps of 0.25 and 0.75 s.
  let record = {
    var record = RequestRecord(request: Request(id: 0, arrival: 0, promptTokens: 1, outputTokens: 3))
    (record.firstTokenAt, record.completedAt, record.longestGap) = (1, 2, 0.75)
    return record
  }()

  /// A limit is met if it is reached, and not if it is exceeded.
  @Test func eachLimitCounts() {
    let limits: [(WritableKeyPath<ServiceObjective, Seconds?>, Seconds)] = [
      (\.timeToFirstToken, 1), (\.timeBetweenTokens, 0.75), (\.timePerOutputToken, 0.5), (\.endToEnd, 2),
    ]
    for (limit, value) in limits {
      var objective = ServiceObjective()
      objective[keyPath: limit] = value
      #expect(objective.isMet(by: record), "\(objective)")
      objective[keyPath: limit] = value.nextDown
      #expect(!objective.isMet(by: record), "\(objective)")
    }
  }

  @Test func withoutLimitsWhateverIsServedIsGood() {
    #expect(ServiceObjective().isEmpty)
    #expect(ServiceObjective().isMet(by: record))
  }

  @Test func aRejectedRequestMeetsNothing() {
    var rejected = record
    rejected.status = .rejected
    #expect(!ServiceObjective().isMet(by: rejected))
    #expect(!ServiceObjective().isMetByFirstToken(of: rejected))
    #expect(!ServiceObjective().isMetByGaps(of: rejected))
  }

  /// It has no gaps, so that no limit on them can be broken.
  @Test func aSingleTokenMeetsLimitsOnGaps() {
    var single = RequestRecord(request: Request(id: 0, arrival: 0, promptTokens: 1, outputTokens: 1))
    (single.firstTokenAt, single.completedAt) = (1, 1)
    var objective = ServiceObjective()
    objective.timePerOutputToken = 0.001
    objective.timeBetweenTokens = 0.001
    #expect(objective.isMet(by: single))
  }

  @Test func aPartIsHeldAgainstItsOwnLimitOnly() {
    var objective = ServiceObjective()
    objective.timeToFirstToken = 0.5
    objective.timeBetweenTokens = 1
    #expect(!objective.isMetByFirstToken(of: record))
    #expect(objective.isMetByGaps(of: record))
    #expect(!objective.isMet(by: record))
  }
}
