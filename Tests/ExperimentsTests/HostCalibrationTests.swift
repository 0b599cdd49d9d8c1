import Serving
import Statistics
import Testing
import Workloads

@testable import Experiments

/// Host time that two loads were simulated with is found again.
@Suite struct HostCalibrationTests {
  @Test func theConstantsOfTwoSimulatedLoadsAreRecovered() throws {
    func simulate(_ values: [Double]) throws -> [Seconds] {
      try [1.0, 4.0].map { rate in
        var experiment = Experiment(trace: "sharegpt", requestRate: rate)
        experiment.workload.numPrompts = 120
        for (path, value) in zip(HostCalibration.paths, values) {
          experiment.system.engineSettings[path] = .number(value)
        }
        return try Project.library.load(experiment).run().metrics.timePerOutputToken.mean
      }
    }
    let fit = try HostCalibration(simulate([0.4, 16]), simulate: simulate)
    #expect(abs(fit.values[0] / 0.4 - 1) < 0.1)
    #expect(abs(fit.values[1] / 16 - 1) < 0.1)
    for time in fit.times { #expect(abs(time.simulated / time.measured - 1) < 0.001) }
  }
}
