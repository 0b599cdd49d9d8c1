import CostModels
import Foundation
import Systems

/// The measured kernels of one GPU, from one table or several, as typed rows.
struct KernelMeasurements: Sendable {
  /// The GPU, as profiles name it.
  let gpu: String
  /// The GPU, as its driver names it.
  var device = ""
  /// What is known of the GPU beside its kernels.
  var figures: DeviceFigures?
  /// The files read, in order.
  var files: [SourceFile] = []
  /// The measurements of each of ``measuredFamilies``.
  private(set) var families: [any Measurements] = measuredFamilies.map { $0.noMeasurements() }
  /// Layers of experts that were left out because their kernels are not tuned, for each table.
  var untuned: [String] = []
  /// Layers of experts that several ranks share out.
  var sharedExperts: [Experts.Row] = []
  var energy: [EnergyWindow] = []
  /// Bursts of products, from which the power limit's window follows.
  var bursts: [PowerBurst] = []
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
    for (i, family) in measuredFamilies.enumerated() where family.table != "kernels" {
      for name in family.furtherTables {
        if let table = try table(name) { try families[i].read(accept(table, folder)) }
      }
      guard let table = try table(family.table) else { continue }
      if family is Experts.Type, !table.columns.contains("active") {
        try read(experts: accept(table, folder), profiles: profiles)
      } else {
        try families[i].read(accept(table, folder))
      }
    }
    if let table = try table("kernels") { try read(harness: accept(table, folder)) }
    if let table = try table("bursts") { bursts = try PowerBurst.bursts(of: accept(table, folder)) }
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

  /// Reads a table of experts whose loads stand in a table of their own.
  private mutating func read(experts table: KernelTable, profiles: String) throws(CalibrationError) {
    let name = "kernels/expert-routing.csv"
    let loads = try KernelTable(path: "\(profiles)/\(name)")
    let known = try ExpertLoads(loads)
    let (rows, left) = try Experts.rows(of: table, known)
    self[Experts.self] += rows
    sharedExperts += try Experts.sharedRows(of: table, known)
    if !left.isEmpty {
      untuned.append(
        "\(table.path.split(separator: "/").suffix(2).joined(separator: "/")): "
          + left.joined(separator: ", "))
    }
    files.append(SourceFile(path: name, sha256: loads.digest))
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
    func optional(_ name: String) -> Double? { names.firstIndex(of: name).map { values[$0] } }
    figures = DeviceFigures(
      multiprocessors: Int(try figure("multiprocessors")), memoryBandwidth: try figure("memory_bandwidth"),
      memoryEfficiency: try figure("memory_efficiency"), bf16FLOPs: try figure("bf16_flops"),
      fp8FLOPs: try optional("fp8_flops") == nil ? figure("bf16_flops") : figure("fp8_flops"),
      fp4FLOPs: optional("fp4_flops"), int8FLOPs: optional("int8_flops"))
  }

  /// Reads a table of the project's own profiling harness: all kernels in one file, told apart by `kernel`.
  ///
  /// `Profiles/harness/README.md` says what the columns mean.
  mutating func read(harness whole: KernelTable) throws(CalibrationError) {
    let names = try whole.texts("kernel")
    if let measured = try EnergyWindow.windows(of: whole) {
      energy += measured.windows
      powerLimit = measured.limit
    }
    let rows = try HarnessRow.rows(of: whole.keeping { names[$0] != "idle" })
    for i in families.indices { families[i].read(rows) }
  }

  /// The measurements of one family.
  subscript<Family: MeasuredFamily>(_ family: Family.Type) -> [Family.Row] {
    get { families.lazy.compactMap { $0 as? FamilyMeasurements<Family> }.first?.rows ?? [] }
    set {
      for i in families.indices where families[i] is FamilyMeasurements<Family> {
        families[i] = FamilyMeasurements<Family>(rows: newValue)
      }
    }
  }
}

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
    // What several ranks take is fitted beside the law of one rank, of the same kernels.
    let layers = Set(self[Experts.self].map(Experts.layer))
    sharedExperts += other.sharedExperts.filter { !layers.contains(Experts.layer($0)) }
    for i in families.indices { families[i].addNew(of: other.families[i]) }
    if energy.isEmpty {
      energy = other.energy
      powerLimit = other.powerLimit
      bursts = other.bursts
    }
    if figures == nil { figures = other.figures }
    untuned += other.untuned
    for file in other.files where !files.contains(file) { files.append(file) }
  }
}

extension KernelTable {
  /// The heads, KV heads, width of a head, and window of each row, checked.
  func heads() throws(CalibrationError) -> [AttentionHeads] {
    let columns = [
      try integers("heads"), try integers("kv_heads"), try integers("head_dim"),
      try integers("window"),
    ]
    for i in 0..<count where columns[1][i] == 0 || columns[0][i] % columns[1][i] != 0 {
      let problem = "\(columns[0][i]) heads over \(columns[1][i]) KV heads, expected a multiple"
      throw .malformed(path: path, line: line(ofRow: i), problem: problem)
    }
    return (0..<count).map { row in AttentionHeads(dimensions: columns.map { $0[row] }) }
  }

  /// The format of keys and values of each row; 16-bit in tables that do not say.
  func keyValueFormats() throws(CalibrationError) -> [WeightFormat] {
    guard columns.contains("kv_dtype") else { return Array(repeating: .bf16, count: count) }
    var formats: [WeightFormat] = []
    for (row, text) in try texts("kv_dtype").enumerated() {
      guard let format = WeightFormat(rawValue: text), format == .bf16 || format == .fp8 else {
        let problem = "kv_dtype is '\(text)', expected bf16 or fp8"
        throw .malformed(path: path, line: line(ofRow: row), problem: problem)
      }
      formats.append(format)
    }
    return formats
  }
}
