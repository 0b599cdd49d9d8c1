import Foundation
import Serving
import Systems
import TestSupport
import Testing

@testable import CostModels

/// What a run pays for a launch, against the rows of the tables that the fits were made from.
///
/// Prices and fits are the same: nothing stands between them but the engine's factor. So prices must meet the bars that
/// the calibration holds its fits to on rows that they have not seen.
@Suite struct PricedTableTests {
  static let gpus = ["h100-sxm", "h200-sxm"]

  private struct Table {
    var rows: [[String: Double]] = []
    var types: [String] = []
    var distributions: [String] = []

    init(_ name: String, gpu: String) throws {
      let path = shippedProfiles.url.appending(path: "kernels/\(gpu)/aiconfigurator-0.12.0/\(name).csv")
      let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
        .filter { !$0.hasPrefix("#") }.map { $0.split(separator: ",").map(String.init) }
      for line in lines.dropFirst() {
        rows.append(
          Dictionary(
            uniqueKeysWithValues: zip(lines[0], line).compactMap { key, text in
              Double(text).map { (key, $0) }
            }))
        types.append(line[0])
        if let column = lines[0].firstIndex(of: "distribution") { distributions.append(line[column]) }
      }
    }
  }

  private struct Pricing {
    let engine: EngineDescription
    let power: PowerModel
    let calibration: Calibration

    init(gpu: String) throws {
      engine = try shippedProfiles.engine("ideal")
      power = PowerModel(try shippedProfiles.hardware(gpu))
      calibration = try Calibration(path: "\(shippedProfiles.url.path)/calibrations/\(gpu).json")
    }

    func kernel<Shape: KernelShape>(_ shape: Shape) -> PricedKernel<Shape.Family> {
      PricedKernel(shape, engine: engine, power: power, calibration: calibration)
    }
  }

  private func value(_ row: [String: Double], _ column: String) throws -> Double {
    try #require(row[column], "\(column)")
  }

  private func check(_ errors: [Double], median: Double, p90: Double, _ what: Comment) {
    let sorted = errors.map { 100 * $0.magnitude }.sorted()
    let (half, most) = (sorted[sorted.count / 2], sorted[sorted.count * 9 / 10])
    #expect(half <= median && most <= p90, "\(half) / \(most) % of \(sorted.count) rows: \(what)")
  }

  @Test(arguments: gpus) func ofMatrixProducts(gpu: String) throws {
    let pricing = try Pricing(gpu: gpu)
    var kernels: [[Int]: PricedKernel<MatrixProduct>] = [:]
    var errors: [[Double]] = [[], []]
    let table = try Table("gemm", gpu: gpu)
    for (row, type) in zip(table.rows, table.types) where type == "bf16" {
      let (m, n, k) = (try value(row, "m"), Int(try value(row, "n")), Int(try value(row, "k")))
      let kernel = kernels[[n, k]] ?? pricing.kernel(MatrixProduct.Shape(n: n, k: k))
      kernels[[n, k]] = kernel
      let seconds = kernel.launch(m).seconds
      errors[m > 256 ? 1 : 0].append(seconds / (try value(row, "latency_us") * 1e-6) - 1)
    }
    check(errors[0], median: 4, p90: 12, "\(gpu), up to 256 rows")
    check(errors[1], median: 4, p90: 12, "\(gpu), more than 256 rows")
  }

  @Test(arguments: gpus) func ofExperts(gpu: String) throws {
    let pricing = try Pricing(gpu: gpu)
    let table = try Table("moe", gpu: gpu)
    var errors: [Double] = []
    let skews = table.distributions.map { $0 == "balanced" ? 0.0 : 1 }
    for (index, (row, type)) in zip(table.rows, table.types).enumerated() where type == "bf16" {
      let shape = Experts.Shape(
        hidden: Int(try value(row, "hidden")),
        intermediate: Int(try value(row, "intermediate") / value(row, "tp")),
        experts: Int(try value(row, "experts")), topK: Int(try value(row, "topk")))
      let work = Experts.Work(
        rows: try value(row, "tokens"), active: try value(row, "active"), skew: skews[index])
      errors.append(pricing.kernel(shape).launch(work).seconds / (try value(row, "latency_us") * 1e-6) - 1)
    }
    check(errors, median: 4, p90: 12, "\(gpu)")
  }

  @Test(arguments: gpus, [0, 128]) func ofAttention(gpu: String, window: Int) throws {
    let pricing = try Pricing(gpu: gpu)
    func heads(_ row: [String: Double]) throws -> AttentionHeads {
      AttentionHeads(
        heads: Int(try value(row, "heads")), keyValueHeads: Int(try value(row, "kv_heads")),
        headDim: Int(try value(row, "head_dim")), window: Int(try value(row, "window")))
    }
    var prefill: [Double] = []
    for row in try Table("prefill_attention", gpu: gpu).rows where try heads(row).window == window {
      let kernel = pricing.kernel(PrefillAttention.Shape(try heads(row)))
      var work = kernel.fit.shape.nothing
      work.add(
        tokens: Int(try value(row, "q_len")), prefix: Int(try value(row, "prefix")),
        count: Int(try value(row, "batch")))
      prefill.append(kernel.launch(work).seconds / (try value(row, "latency_us") * 1e-6) - 1)
    }
    check(prefill, median: 5, p90: 13, "\(gpu), prefill")
    var decode: [Double] = []
    for row in try Table("decode_attention", gpu: gpu).rows where try heads(row).window == window {
      let batch = try value(row, "batch")
      let kernel = pricing.kernel(DecodeAttention.Shape(try heads(row)))
      // A context that just fills a window is not cut.
      let context = try value(row, "kv_len") - (window > 0 && row["kv_len"] == Double(window) ? 0.5 : 0)
      let seconds = kernel.launch(.init(sequences: batch, context: batch * context)).seconds
      decode.append(seconds / (try value(row, "latency_us") * 1e-6) - 1)
    }
    check(decode, median: 7, p90: 20, "\(gpu), decode")
  }

  @Test(arguments: gpus) func ofAllReduces(gpu: String) throws {
    let pricing = try Pricing(gpu: gpu)
    let table = try Table("all_reduce", gpu: gpu)
    var errors: [Double] = []
    for (row, type) in zip(table.rows, table.types) {
      let implementation = try #require(AllReduce.Implementation(rawValue: type))
      let shape = AllReduce.Shape(implementation, gpus: Int(try value(row, "gpus")))
      let seconds = pricing.kernel(shape).launch(try value(row, "bytes")).seconds
      errors.append(seconds / (try value(row, "latency_us") * 1e-6) - 1)
    }
    check(errors, median: 4, p90: 16, "\(gpu)")
  }

  /// A long product was measured at the limit: its time is the sustained one, and a steady stream of it takes just that.
  @Test(arguments: gpus) func aSteadyStreamOfALongProductTakesTheTablesTime(gpu: String) throws {
    let pricing = try Pricing(gpu: gpu)
    let launch = pricing.kernel(MatrixProduct.Shape(n: 65_536, k: 8192)).launch(16_384)
    #expect(launch.seconds > 10e-3)
    var slowed = 0.0
    var clock = StepClock(power: try system(gpu).powerLimit)
    var time = 0.0
    for _ in 0..<100 {
      var cost = self.cost(of: launch)
      let (start, seconds) = clock.run(&cost, plannedAt: time, after: time, decodeShare: 0)
      time = start + seconds
      slowed += seconds / launch.seconds - 1
    }
    #expect(slowed < 1e-9)
    let mean = launch.joules / launch.seconds + pricing.power.idleWatts
    #expect(mean > 680 && mean < 700.0001)
  }

  /// Products of some hundred microseconds were timed in short runs: steady streams of them are slower.
  ///
  /// The tables of an H200 at 690 W (ai-dynamo/aiconfigurator 095f58a, vLLM 0.22.0) say by 18 %, median of 187.
  /// The clock's exponent was fitted to those very rows: this guards the way from there to here, and validates nothing.
  @Test func aSteadyStreamOfShortProductsIsSlowerThanABurst() throws {
    let launch = try Pricing(gpu: "h200-sxm").kernel(MatrixProduct.Shape(n: 12_288, k: 4096)).launch(1024)
    #expect((64e-6...700e-6).contains(launch.seconds))
    var clock = StepClock(power: try system("h200-sxm").powerLimit)
    var time = 0.0
    var durations: [Double] = []
    for _ in 0..<10_000 {
      var cost = self.cost(of: launch)
      let (start, seconds) = clock.run(&cost, plannedAt: time, after: time, decodeShare: 0)
      time = start + seconds
      durations.append(seconds)
    }
    #expect(durations[0] == launch.seconds)
    let factor = try #require(durations.last) / launch.seconds
    #expect((1.08...1.28).contains(factor), "\(factor)")
  }

  private func system(_ gpu: String) throws -> ServedSystem {
    try ServedSystem(
      model: shipped("qwen3-8b"), hardware: shippedProfiles.hardware(gpu),
      engine: shippedProfiles.engine("ideal"), tensorParallel: 1)
  }

  private func cost(of launch: Launch) -> StepCost {
    var cost = StepCost()
    cost.kernelSeconds = launch.seconds
    cost.clockedSeconds = launch.clocked[0]
    cost.clockedJoules = launch.clocked[1]
    cost.decodeRowJoules = launch.joules
    return cost
  }
}
