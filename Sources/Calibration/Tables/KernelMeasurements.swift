import CostModels
import Foundation
import Systems

/// The measured kernels of one GPU, whatever tables they come from, as typed rows.
struct KernelMeasurements: Sendable {
  /// A dense matrix product.
  struct GEMM: Sendable {
    var type: String
    var m, n, k: Int
    var seconds: Double
  }

  /// The experts of an MoE layer; `intermediate` is of one GPU.
  struct MoE: Sendable {
    var type: String
    var hidden, intermediate, topK, experts: Int
    var tokens: Int
    var active: Double
    /// Tiles of 16, 32, 64 and 128 tokens.
    var tiles: SIMD4<Double>
    var seconds: Double
  }

  /// Attention of new tokens, equally many in each sequence of a batch.
  struct Prefill: Sendable {
    var heads, kvHeads, headDim, window: Int
    var batch, tokens, prefix: Int
    var seconds: Double
  }

  /// Attention of one new token of each sequence of a batch, equally long contexts.
  struct Decode: Sendable {
    var heads, kvHeads, headDim, window: Int
    var batch, context: Int
    var seconds: Double
  }

  /// An all-reduce.
  struct AllReduce: Sendable {
    var implementation: AllReduceFit.Implementation
    var gpus: Int
    var bytes: Double
    var seconds: Double
  }

  /// A kernel that streams through memory.
  struct Elementwise: Sendable {
    var kernel: String
    var bytes: Double
    var seconds: Double
  }

  /// The GPU, as profiles name it.
  let gpu: String
  /// The GPU, as its driver names it.
  var device = ""
  /// What is known of the GPU beside its kernels.
  var figures: DeviceFigures?
  /// The files read, in order.
  var files: [SourceFile] = []
  var gemm: [GEMM] = []
  var moe: [MoE] = []
  var prefill: [Prefill] = []
  var decode: [Decode] = []
  var allReduce: [AllReduce] = []
  var elementwise: [Elementwise] = []
  var energy: [EnergyWindow] = []
  /// The board's power limit while energy was measured, in watts; nil if it was not.
  var powerLimit: Double?

  /// Reads the tables in `kernels/<gpu>/<source>` of a profiles' directory; those that are missing are empty.
  init(gpu: String, source: String, profiles: String) throws(CalibrationError) {
    self.gpu = gpu
    let folder = "kernels/\(gpu)/\(source)"
    var isFolder: ObjCBool = false
    let exists = unsafe FileManager.default.fileExists(
      atPath: "\(profiles)/\(folder)", isDirectory: &isFolder)
    guard exists, isFolder.boolValue else {
      let known = (try? FileManager.default.contentsOfDirectory(atPath: "\(profiles)/kernels/\(gpu)")) ?? []
      let hint =
        known.isEmpty ? "no tables of this GPU at all" : "known: \(known.sorted().joined(separator: ", "))"
      throw .unreadable(path: "\(profiles)/\(folder)", reason: "there is no such folder of tables; \(hint)")
    }
    func table(_ name: String) throws(CalibrationError) -> KernelTable? {
      let path = "\(profiles)/\(folder)/\(name).csv"
      return FileManager.default.fileExists(atPath: path) ? try KernelTable(path: path) : nil
    }
    if let table = try table("device") {
      try read(device: accept(table, folder))
    } else if let other = Self.figures(gpu: gpu, profiles: profiles) {
      let table = try KernelTable(path: "\(profiles)/\(other)/device.csv")
      try read(device: accept(table, other))
    }
    if let table = try table("gemm") { try read(gemm: accept(table, folder)) }
    if let table = try table("moe") { try read(moe: accept(table, folder)) }
    if let table = try table("prefill_attention") { try read(prefill: accept(table, folder)) }
    if let table = try table("decode_attention") { try read(decode: accept(table, folder)) }
    if let table = try table("all_reduce") { try read(allReduce: accept(table, folder)) }
    if let table = try table("kernels") { try read(harness: accept(table, folder)) }
    guard !files.isEmpty else {
      throw .unreadable(path: "\(profiles)/\(folder)", reason: "there are no tables in it")
    }
  }

  /// A folder of the same GPU that says what it is, for sources that do not.
  private static func figures(gpu: String, profiles: String) -> String? {
    let sources = (try? FileManager.default.contentsOfDirectory(atPath: "\(profiles)/kernels/\(gpu)")) ?? []
    return sources.sorted().map { "kernels/\(gpu)/\($0)" }
      .first { FileManager.default.fileExists(atPath: "\(profiles)/\($0)/device.csv") }
  }

  /// Creates measurements without any.
  init(gpu: String) { self.gpu = gpu }

  /// Takes note of a table, and refuses one of another GPU than the tables before.
  private mutating func accept(_ table: KernelTable, _ folder: String) throws(CalibrationError) -> KernelTable
  {
    if table.value("device") != nil, let measured = table.value("gpu"), measured != gpu {
      throw .mixedGPUs(path: table.path, found: measured, expected: gpu)
    }
    // The harness does not know the profiles' name of the GPU: its 'gpu' is the driver's.
    guard let driver = table.value("device") ?? table.value("gpu") else {
      throw .malformed(
        path: table.path, line: 0, problem: "no '# device: ' line that says what it was measured on")
    }
    if device.isEmpty { device = driver }
    guard driver == device else { throw .mixedGPUs(path: table.path, found: driver, expected: device) }
    if table.columns.contains("device") {
      for other in try table.texts("device") where other != device {
        throw .mixedGPUs(path: table.path, found: other, expected: device)
      }
    }
    let name = table.path.split(separator: "/").last.map(String.init) ?? table.path
    files.append(SourceFile(path: "\(folder)/\(name)", sha256: table.digest))
    return table
  }

  mutating func read(device table: KernelTable) throws(CalibrationError) {
    let names = try table.texts("quantity")
    let values = try table.numbers("value")
    func figure(_ name: String) throws(CalibrationError) -> Double {
      guard let row = names.firstIndex(of: name), values[row] > 0 else {
        throw .malformed(path: table.path, line: 0, problem: "no row '\(name)' with a positive value")
      }
      return values[row]
    }
    figures = DeviceFigures(
      multiprocessors: Int(try figure("multiprocessors")), memoryBandwidth: try figure("memory_bandwidth"),
      memoryEfficiency: try figure("memory_efficiency"), bf16FLOPs: try figure("bf16_flops"),
      fp8FLOPs: try figure("fp8_flops"))
  }

  mutating func read(gemm table: KernelTable) throws(CalibrationError) {
    let types = try table.texts("dtype")
    let m = try table.integers("m")
    let n = try table.integers("n")
    let k = try table.integers("k")
    let seconds = try table.seconds()
    for i in 0..<table.count {
      gemm.append(GEMM(type: types[i], m: m[i], n: n[i], k: k[i], seconds: seconds[i]))
    }
  }

  mutating func read(moe table: KernelTable) throws(CalibrationError) {
    let types = try table.texts("dtype")
    let hidden = try table.integers("hidden")
    let intermediate = try table.integers("intermediate")
    let topK = try table.integers("topk")
    let experts = try table.integers("experts")
    let tp = try table.integers("tp")
    let tokens = try table.integers("tokens")
    let active = try table.numbers("active")
    let tiles16 = try table.numbers("tiles_16")
    let tiles32 = try table.numbers("tiles_32")
    let tiles64 = try table.numbers("tiles_64")
    let tiles128 = try table.numbers("tiles_128")
    let seconds = try table.seconds()
    for i in 0..<table.count {
      guard tp[i] > 0, intermediate[i] % tp[i] == 0 else {
        let problem = "tp is \(tp[i]), expected a divisor of the intermediate width \(intermediate[i])"
        throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
      moe.append(
        MoE(
          type: types[i], hidden: hidden[i], intermediate: intermediate[i] / tp[i], topK: topK[i],
          experts: experts[i], tokens: tokens[i], active: active[i],
          tiles: SIMD4(tiles16[i], tiles32[i], tiles64[i], tiles128[i]), seconds: seconds[i]))
    }
  }

  mutating func read(prefill table: KernelTable) throws(CalibrationError) {
    let heads = try heads(of: table)
    let batch = try table.integers("batch")
    let tokens = try table.integers("q_len")
    let prefix = try table.integers("prefix")
    let seconds = try table.seconds()
    for i in 0..<table.count {
      prefill.append(
        Prefill(
          heads: heads[i][0], kvHeads: heads[i][1], headDim: heads[i][2], window: heads[i][3],
          batch: batch[i],
          tokens: tokens[i], prefix: prefix[i], seconds: seconds[i]))
    }
  }

  mutating func read(decode table: KernelTable) throws(CalibrationError) {
    let heads = try heads(of: table)
    let batch = try table.integers("batch")
    let context = try table.integers("kv_len")
    let seconds = try table.seconds()
    for i in 0..<table.count {
      decode.append(
        Decode(
          heads: heads[i][0], kvHeads: heads[i][1], headDim: heads[i][2], window: heads[i][3],
          batch: batch[i],
          context: context[i], seconds: seconds[i]))
    }
  }

  mutating func read(allReduce table: KernelTable) throws(CalibrationError) {
    let names = try table.texts("implementation")
    let gpus = try table.integers("gpus")
    let bytes = try table.numbers("bytes")
    let seconds = try table.seconds()
    for i in 0..<table.count {
      guard let implementation = AllReduceFit.Implementation(rawValue: names[i]) else {
        let known = AllReduceFit.Implementation.allCases.map(\.rawValue).joined(separator: ", ")
        let problem = "implementation is '\(names[i])', expected one of: \(known)"
        throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
      allReduce.append(
        AllReduce(implementation: implementation, gpus: gpus[i], bytes: bytes[i], seconds: seconds[i]))
    }
  }

  /// The heads, KV heads, width of a head, and window of each row, checked.
  func heads(of table: KernelTable) throws(CalibrationError) -> [[Int]] {
    let columns = [
      try table.integers("heads"), try table.integers("kv_heads"), try table.integers("head_dim"),
      try table.integers("window"),
    ]
    for i in 0..<table.count where columns[1][i] == 0 || columns[0][i] % columns[1][i] != 0 {
      let problem = "\(columns[0][i]) heads over \(columns[1][i]) KV heads, expected a multiple"
      throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
    }
    return (0..<table.count).map { row in columns.map { $0[row] } }
  }
}
