import Experiments
import Foundation
import ResultStore

/// The plans, the cheapest first.
struct PlanTable {
  /// A system under a policy.
  struct Case {
    let system: SystemOptions
    var policy: String
    /// Of a GPU for an hour.
    let price: Double?
    /// `nil` if the model does not fit.
    var outcome: Planner.Outcome?

    init(system: SystemOptions, policy: String, price: Double?) {
      self.system = system
      self.policy = policy
      self.price = price
    }

    /// The plan, if there is one.
    var plan: PlannedSystem? { if case .serves(let plan)? = outcome { plan } else { nil } }

    /// What its GPUs cost for an hour; `nil` without a price or a plan.
    var costPerHour: Double? { price.flatMap { price in plan.map { Double($0.gpus) * price } } }

    /// What a million tokens cost; `nil` without a price or a plan.
    var costOfMillionTokens: Double? { price.flatMap { plan?.costOfMillionTokens(price: $0) } }

    /// The largest rate of an instance; `nil` without a plan, or where runs at it are bursts and say nothing of it.
    var capacity: Double? { plan?.capacity.steadyRate }

    /// What its instances hold one by one beyond the rate, as a share of it; `nil` without a capacity.
    var headroom: Double? { capacity.flatMap { _ in plan?.headroom } }

    /// What keeps it from serving more, or at all.
    var limit: String {
      switch outcome {
      case .serves(let plan): plan.capacity.limitedBy ?? ""
      case .fails(let limit): limit.description
      case nil: "memory"
      }
    }

    /// Plans whose runs say what they hold, then those of bursts, then none; by price if there is one, else by GPUs; then by energy.
    ///
    /// All cases have a price, or none has.
    fileprivate var rank: (Double, Double, Double) {
      guard let plan else { return (2, 0, 0) }
      return (capacity == nil ? 1 : 0, Double(plan.gpus) * (price ?? 1), plan.figures.millijoulesPerToken)
    }
  }

  /// Best first.
  let cases: [Case]

  init(cases: [Case]) {
    self.cases = cases.enumerated().sorted {
      let (a, b) = ($0.element.rank, $1.element.rank)
      return a != b ? a < b : $0.offset < $1.offset
    }.map(\.element)
  }

  /// A row for each case.
  var table: ResultTable {
    let priced = cases.contains { $0.price != nil }
    let staged = cases.contains { $0.system.pipelineParallelSize != "1" }
    var table = ResultTable(
      columns: ["model", "hardware", "tp"] + (staged ? ["pp"] : []) + [
        "policy", "replicas", "gpus", "capacity", "headroom", "utilisation",
        "limited_by", "slo_attainment", "mean_watts", "kwh_per_day", "energy_per_token_mj",
      ] + (priced ? ["cost_per_hour", "cost_per_million_tokens"] : []), rows: [])
    for item in cases {
      let plan = item.plan
      func value(_ number: Double?) -> RunValue {
        number.map { RunValue(Double(String(format: "%.3g", $0)) ?? $0) } ?? .null
      }
      var row: [RunValue] = [
        .text(item.system.model), .text(item.system.hardware),
        Int(item.system.tensorParallelSize).map { RunValue($0) } ?? .null,
      ]
      if staged { row.append(Int(item.system.pipelineParallelSize).map { RunValue($0) } ?? .null) }
      row += [
        .text(item.policy), plan.map { RunValue($0.instances) } ?? .null,
        plan.map { RunValue($0.gpus) } ?? .null,
        value(item.capacity), value(item.headroom), value(plan?.utilisation),
        .text(item.limit),
        value(plan?.figures.attainment), value(plan?.figures.watts), value(plan?.kilowattHoursPerDay),
        value(plan?.figures.millijoulesPerToken),
      ]
      if priced {
        row += [value(item.costPerHour), value(item.costOfMillionTokens)]
      }
      table.rows.append(row)
    }
    return table
  }

  /// Whether there is a plan whose runs are bursts.
  var hasBurst: Bool { cases.contains { $0.plan?.capacity.isBurst ?? false } }

  /// The best plan in a sentence; `nil` if there is none, or if all are of bursts.
  var best: String? {
    guard let first = cases.first, let plan = first.plan, first.capacity != nil else { return nil }
    let gpus = "\(plan.gpus) \(first.system.hardware)"
    let limit = first.limit.isEmpty ? "" : ", limited by \(first.limit)"
    let room =
      plan.apart < plan.rate
      ? String(format: "no head-room: one by one the replicas hold %.3g req/s.", plan.apart)
      : String(format: "%.0f %% head-room.", plan.headroom * 100)
    return String(
      format: "%@ under %@ on %@ (%d replicas of %d)%@; %.0f %% of the time busy, ", first.system.model,
      first.policy, gpus, plan.instances, plan.gpusPerInstance, limit, plan.utilisation * 100) + room
  }
}
