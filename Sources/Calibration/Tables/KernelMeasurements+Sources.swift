import CostModels
import Systems

extension KernelMeasurements {
  /// Reads the tables of several sources; shapes that the first one lacks come from the next.
  init(gpu: String, sources: [String], profiles: String) throws(CalibrationError) {
    guard let first = sources.first else {
      throw .unreadable(path: "\(profiles)/kernels/\(gpu)", reason: "no source of tables was named")
    }
    try self.init(gpu: gpu, source: first, profiles: profiles)
    for source in sources.dropFirst() {
      let other = try KernelMeasurements(gpu: gpu, source: source, profiles: profiles)
      guard other.device == device else {
        throw .mixedGPUs(
          path: "\(profiles)/kernels/\(gpu)/\(source)", found: other.device, expected: device)
      }
      addShapes(of: other)
    }
  }

  /// Adds what was measured elsewhere of shapes that were not measured here.
  private mutating func addShapes(of other: KernelMeasurements) {
    func new<Row, Shape: Hashable>(_ there: [Row], _ here: [Row], _ shape: (Row) -> Shape) -> [Row] {
      let known = Set(here.map(shape))
      return there.filter { !known.contains(shape($0)) }
    }
    gemm += new(other.gemm, gemm) { [$0.type, "\($0.n)", "\($0.k)"] }
    moe += new(other.moe, moe) {
      [$0.type, "\($0.hidden)", "\($0.intermediate)", "\($0.experts)", "\($0.topK)"]
    }
    prefill += new(other.prefill, prefill) { [$0.heads, $0.kvHeads, $0.headDim, $0.window] }
    decode += new(other.decode, decode) { [$0.heads, $0.kvHeads, $0.headDim, $0.window] }
    allReduce += new(other.allReduce, allReduce) { [$0.implementation.rawValue, "\($0.gpus)"] }
    elementwise += new(other.elementwise, elementwise, \.kernel)
    if energy.isEmpty {
      energy = other.energy
      powerLimit = other.powerLimit
    }
    if figures == nil { figures = other.figures }
    for file in other.files where !files.contains(file) { files.append(file) }
  }
}
