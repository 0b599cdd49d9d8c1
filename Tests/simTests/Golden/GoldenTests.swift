import Foundation
import Testing

@testable import Experiments
@testable import sim

/// Figures change on purpose only: with ``Revision/results``, which keeps stored runs of other figures apart.
///
/// `SIM_RECORD_GOLDEN=1 Scripts/test --filter GoldenTests` records the runs anew, after the revision was raised.
@Suite struct GoldenTests {
  @Test func figuresChangeOnlyWithTheRevision() throws {
    let runs = try GoldenRun.all.map { try $0.run() }
    let isRecording = ProcessInfo.processInfo.environment["SIM_RECORD_GOLDEN"] != nil
    let known = (try? GoldenFile.read()) ?? GoldenFile(revision: 0, runs: [])
    let byName = Dictionary(uniqueKeysWithValues: known.runs.map { ($0.name, $0) })
    let changed = runs.filter { run in byName[run.name].map { !run.agrees(with: $0) } ?? false }.map(\.name)
    if isRecording {
      #expect(
        changed.isEmpty || Revision.results > known.revision,
        "the figures of \(changed) changed: raise Revision.results, and say why, before recording them")
      guard changed.isEmpty || Revision.results > known.revision else { return }
      try GoldenFile(revision: Revision.results, runs: runs).write()
    } else {
      #expect(known.revision == Revision.results, "record the golden runs at this revision")
      #expect(changed.isEmpty, "these figures changed")
      #expect(known.runs.map(\.name) == runs.map(\.name), "record the golden runs")
    }
  }

  /// Fast-forward changes nothing, whatever the setting.
  @Test(arguments: GoldenRun.all) func exactStepsGiveTheSame(run: GoldenRun) throws {
    let exact = try run.run(exactSteps: true)
    let leaping = try run.run()
    #expect(exact.schedule == leaping.schedule)
    #expect(exact.bytes == leaping.bytes)
    #expect(exact.agrees(with: leaping))
  }

  /// The runs show what their names say: otherwise they would guard nothing.
  @Test func theRunsAreWhatTheirNamesSay() throws {
    for run in try GoldenFile.read().runs {
      let counts = run.counts
      #expect(counts.completed > 0 && counts.iterations > 100, "\(run.name)")
      #expect((counts.preemptions > 0) == run.name.contains("preempting"), "\(run.name)")
      #expect((counts.rejected > 0) == run.name.contains("rejecting"), "\(run.name)")
      #expect((counts.unfinished > 0) == run.name.contains("cut"), "\(run.name)")
      if run.name.contains("overload") || run.name.contains("full queue") {
        #expect(counts.longestQueue > 20, "\(run.name)")
      }
    }
  }

  /// A stored run is never taken for one of other figures.
  @Test func theHashOfAConfigurationCoversTheRevision() throws {
    let experiment = try TestProject.experiment(GoldenRun.all[0].arguments)
    #expect(experiment.configurationHash == experiment.configurationHash(revision: Revision.results))
    #expect(experiment.configurationHash != experiment.configurationHash(revision: Revision.results + 1))
  }
}
