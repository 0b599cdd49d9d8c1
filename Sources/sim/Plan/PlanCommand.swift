import ArgumentParser
import Experiments
import Foundation
import Policies
import ResultStore
import Serving
import Statistics
import Systems
import Workloads

/// `sim plan`: how many GPUs a rate needs.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Find how many GPUs serve a request rate under an objective, and at what cost.",
    discussion: """
      For each model, GPU, number of GPUs of an instance and policy, all of which may be lists: the capacity of one \
      instance, as many instances as the rate needs, and a simulation of all of them together, which has to meet the \
      objective. Plans are sorted by their price, or by their number of GPUs if no price is given. An instance is a \
      whole replica; prefill and decode run on the same GPUs. Without --policy, chunked and layered are tried, \
      whatever the engine. A rate that cannot hold any more is given up as soon as that is sure. Each line goes to the \
      table plans; single runs are not logged.

      Examples:
        sim plan --request-rate 20 --slo ttft:1s tpot:30ms --percentile 99 --trace sharegpt
        sim plan --request-rate 20 --hardware h100-sxm,h200-sxm --tp 1,2,4 --policy chunked,layered --gpu-price 2.5
        sim plan --request-rate 5 --hardware h100-sxm,h200-sxm --gpu-price h100-sxm:2.5,h200-sxm:3.2
      """)

  @OptionGroup(title: "Search") var search: SearchOptions

  @Option(
    help: ArgumentHelp(
      "Price of a GPU for an hour, or one for each GPU as in h100-sxm:2.5,h200-sxm:3.2.", valueName: "price"))
  var gpuPrice: String?

  @OptionGroup var options: RunOptions

  @Option(help: ArgumentHelp("The SQLite database to append plans to.", valueName: "file"))
  var db = RunWriter.defaultPath

  @Flag(name: .customLong("no-db"), help: "Log nothing.")
  var noDatabase = false

  @Flag(help: "Print the table as JSON.")
  var json = false

  /// A system under a policy, and who plans it.
  private struct Question {
    var experiment: Experiment
    var item: PlanTable.Case
    /// `nil` if the model does not fit, as is the next.
    var loaded: LoadedExperiment?
    var planner: Planner?

    init(experiment: Experiment, item: PlanTable.Case) {
      self.experiment = experiment
      self.item = item
    }
  }

  func run() throws {
    let started = ContinuousClock.now
    guard let rate = options.traffic.requestRate, rate > 0, rate.isFinite else {
      throw CommandLineError.badValue(
        option: "--request-rate", value: options.traffic.requestRate.map { "\($0)" } ?? "(missing)",
        expected: "the rate to be served, in requests a second")
    }
    try search.refuseOtherArrivals(options.traffic)
    let seeds = try search.checkedSeeds(options.traffic)
    let tolerance = try search.checkedTolerance(default: 0.05)
    var libraries = Libraries()
    let library = try libraries.library(in: options.folders)
    guard options.cluster.disaggregation == nil else {
      throw CommandLineError.contradiction(
        "--disaggregation: plan looks for whole replicas; use capacity for pools")
    }
    guard options.cluster.replicas == 1 else {
      throw CommandLineError.contradiction("--replicas: the number of replicas is what plan looks for")
    }
    let systems = try options.system.alternatives()
    let policies = SweepAxis.elements((options.schedule.policy ?? "chunked,layered")[...])
    let prices = try checkedPrices(of: systems)
    // Wrong options are reported before anything runs.
    var questions: [Question] = []
    for system in systems {
      var options = options
      options.system = system
      for policy in policies {
        options.schedule.policy = String(policy)
        var question = Question(
          experiment: try options.specification(),
          item: PlanTable.Case(
            system: system, policy: String(policy), price: prices[system.hardware] ?? prices[""]))
        do {
          let loaded = try library.load(question.experiment)
          libraries.warn(of: loaded)
          let objective = try options.objective.single() ?? loaded.objective.asObjective
          question.item.policy = loaded.policy.description
          question.loaded = loaded
          question.planner = Planner(
            library: library, criterion: try search.criteria([objective])[0], rate: rate, seeds: seeds,
            tolerance: tolerance)
        } catch let error as DescriptionError where error.isMismatch {
          warn("\(system.title): \(error)")
        }
        questions.append(question)
      }
    }
    let writer = noDatabase ? nil : try RunWriter(path: db, logLevel: .requests)
    let possible = questions.indices.filter { questions[$0].planner != nil }
    // The number of runs is not known beforehand; this many are usual for a case.
    let progress = json ? nil : Progress(total: 30 * possible.count, unit: "runs")
    let outcomes = try Planner.plan(
      questions.compactMap { question in question.planner.map { ($0, question.experiment) } },
      progress: progress)
    progress?.clear()
    for (place, outcome) in zip(possible, outcomes) { questions[place].item.outcome = outcome }
    _ = try writer?.append(
      plans: questions.map {
        PlanRow(
          item: $0.item, asked: $0.experiment, loaded: $0.loaded, criterion: $0.planner?.check.criterion,
          rate: rate, seeds: seeds, tolerance: tolerance
        ).values
      })
    for question in questions {
      guard let capacity = question.item.plan?.capacity, let criterion = question.planner?.check.criterion
      else { continue }
      CapacityWarnings.warn(
        of: capacity, "\(question.item.system.title), \(question.item.policy)", criterion.objective)
    }
    let table = PlanTable(cases: questions.map(\.item))
    print(table.table.formatted(as: json ? .json : .table, width: Terminal.width), terminator: "")
    guard !json else { return }
    if let best = table.best {
      print("\nBest: " + best)
    } else if table.hasBurst {
      print("\nNo plan can be called the best: its runs are bursts; give more --num-prompts.")
    } else {
      print("\nNo system serves \(rate) req/s under this objective.")
    }
    print(String(format: "%d seeds, %.1f s.", seeds.count, (ContinuousClock.now - started).seconds))
  }

  /// Prices by GPU; the empty name is that of a price for all.
  ///
  /// Each GPU has a price or none has, and a price is that of a GPU which is looked at.
  private func checkedPrices(of systems: [SystemOptions]) throws(CommandLineError) -> [String: Double] {
    var prices: [String: Double] = [:]
    for part in (gpuPrice ?? "").split(separator: ",") {
      let sides = part.split(whereSeparator: { $0 == ":" || $0 == "=" })
      guard let text = sides.last, sides.count <= 2, let price = Double(text), price >= 0, price.isFinite
      else {
        throw .badValue(
          option: "--gpu-price", value: gpuPrice ?? "", expected: "a price, or prices as in h100-sxm:2.5")
      }
      guard prices.updateValue(price, forKey: sides.count == 2 ? String(sides[0]) : "") == nil else {
        throw .badValue(option: "--gpu-price", value: gpuPrice ?? "", expected: "one price for a GPU")
      }
    }
    let gpus = Set(systems.map(\.hardware))
    let isComplete = prices.isEmpty || prices[""] != nil || gpus.isSubset(of: prices.keys)
    guard isComplete, gpus.union([""]).isSuperset(of: prices.keys) else {
      throw .badValue(
        option: "--gpu-price", value: gpuPrice ?? "",
        expected:
          "a price for each GPU of --hardware and for no other: \(gpus.sorted().joined(separator: ", "))")
    }
    return prices
  }
}
