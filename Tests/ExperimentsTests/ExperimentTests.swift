import CostModels
import Foundation
import Serving
import Systems
import TestSupport
import Testing
import Workloads

@testable import Experiments

/// An experiment is a value: it is written as JSON and read back, and a mistake in the JSON is named.
struct ExperimentTests {
  private func read(_ json: String) throws -> Experiment {
    try Experiment(json: Data(json.utf8), from: "run.json")
  }

  @Test func jsonGivesTheExperimentBack() throws {
    var experiment = Experiment(
      trace: "mooncake", requestRate: .infinity, policy: "layered[stages=8,groups=paper]", seed: .max)
    experiment.workload.numPrompts = 7
    experiment.system.engineSettings = [
      "host.per_iteration_ms": 0.1, "graphs.sizes": .numbers([1, 2]), "model.dequantise_experts": true,
    ]
    experiment.system.routing = "coverage[32=70.5]"
    experiment.cluster.pool.instances = 3
    experiment.objective = ServiceObjective()
    experiment.objective?.timePerOutputToken = 0.1
    experiment.limits = RunLimits(maxConcurrency: 4, maxDuration: 1e3 / 3)
    #expect(try read(experiment.json) == experiment)
    #expect(try read(experiment.prettyJSON) == experiment)
  }

  @Test func numbersAreNumbersAndPolicyParametersMembers() throws {
    let json = try JSONSerialization.jsonObject(
      with: Data(Experiment(requestRate: 1.5, policy: "chunked[budget=1024,decodes=free]").json.utf8))
    let cluster = try #require((json as? [String: Any])?["cluster"] as? [String: Any])
    let pool = try #require((cluster["pools"] as? [[String: Any]])?.first)
    let policy = try #require(pool["policy"] as? [String: Any])
    #expect(policy["name"] as? String == "chunked")
    #expect(policy["budget"] as? Int == 1024)
    #expect(policy["decodes"] as? String == "free")
    #expect((pool["system"] as? [String: Any])?["tensor_parallel_size"] as? Int == 2)
  }

  @Test func whatIsNotThereKeepsItsDefault() throws {
    #expect(try read("{}") == Experiment())
    let few = try read(
      #"{"workload": {"request_rate": 2}, "cluster": {"pools": [{"policy": {"name": "orca"}}]}}"#)
    #expect(few == Experiment(requestRate: 2, policy: "orca"))
  }

  @Test(arguments: [
    ("", "not valid JSON"), ("[]", "the experiment: expected an object"),
    (#"{"worklod": {}}"#, "worklod: unknown member; did you mean 'workload'?"),
    (#"{"workload": {"num_prompts": "7"}}"#, "workload.num_prompts: expected a whole number"),
    (#"{"workload": {"arrivals": "soon"}}"#, "workload.arrivals: expected one of poisson"),
    (#"{"cluster": {"pools": [{"policy": {"budget": 7}}]}}"#, "cluster.pools[0].policy.name: is missing"),
    (#"{"cluster": {"pools": [{"system": {"tp": 2}}]}}"#, "cluster.pools[0].system.tp: unknown member"),
  ]) func aMistakeIsNamed(json: String, message: String) throws {
    let error = try #require(throws: ExperimentError.self) { try read(json) }
    #expect("\(error)".hasPrefix("run.json: "))
    #expect("\(error)".contains(message), "\(error)")
  }

  @Test(arguments: ["chunked", "layered[cohort=4096,groups=paper]", "static[batch=8,budget=8192]"])
  func aPolicyIsReadAsTheCommandLineReadsIt(text: String) {
    #expect(PolicySpecification(parsing: text).description == text)
  }

  @Test(arguments: ["layered[", "layered[stages]", "layered[a=b=c]"])
  func aMalformedPolicyStaysAName(text: String) {
    #expect(PolicySpecification(parsing: text) == PolicySpecification(text))
  }

  @Test(arguments: [
    ("16", SettingValue.number(16)), ("0.50", 0.5), ("true", true), ("none", "none"),
    ("1,2,4", .numbers([1, 2, 4])), ("a,b", "a,b"), ("inf", "inf"),
  ]) func aSettingIsWhatItLooksLike(text: String, value: SettingValue) {
    #expect(SettingValue(parsing: text) == value)
    #expect(SettingValue(parsing: value.description) == value)
  }
}
