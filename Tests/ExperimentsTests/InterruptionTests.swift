import Serving
import Testing
import Workloads

@testable import Experiments

/// Makes the wish as the request of a number ends.
struct Impatient: Recorder {
  let interruption: Interruption
  let patience: Int
  var requests = 0

  mutating func record(_ iteration: IterationRecord) {}
  mutating func record(gap: Seconds, tokens: Int) {}
  mutating func record(_ span: SpanRecord) {}
  mutating func record(_ request: RequestRecord) {
    requests += 1
    if requests == patience { interruption.request() }
  }
}

/// Runs that somebody stops.
@Suite struct InterruptionTests {
  /// A wish cuts a run that has requests left; one that comes after the last was sent finds it complete.
  @Test(arguments: [(10, true), (60, false), (1000, false)]) func aWishCutsWhatIsLeft(
    patience: Int, isCut: Bool
  )
    throws
  {
    var experiment = Experiment(trace: "sharegpt", requestRate: 2, policy: "layered")
    experiment.workload.numPrompts = 60
    var loaded = try Project.library.load(experiment)
    let interruption = Interruption()
    loaded.interruption = interruption
    var recorder = Impatient(interruption: interruption, patience: patience)
    _ = try loaded.run(recorder: &recorder)
    #expect(interruption.hasCut == isCut && (recorder.requests < 60) == isCut)
  }
}
