import Foundation
import Support

/// What a checkpoint says of the formats of its matrices: the object `quantization_config` of its `config.json`, or a
/// file beside that.
///
/// What is not understood is an error: a format that is priced as another one would be a silent mistake.
struct CheckpointFormats {
  /// Some modules, or all of them, and their format.
  private struct Rule {
    var modules: ModuleNames?
    /// Where the names stand.
    var place = ""
    var format: WeightFormat

    func names(_ module: String) -> Bool { modules?.contains(module) ?? false }
  }

  private var rules: [Rule] = []
  /// The rules whose names were found in the model.
  private var used: Set<Int> = []
  private var ignored: ModuleNames
  private var ignoredField = "ignore"
  private var isOfExpertsAlone = false
  private let object: JSONObject
  /// Keys and values.
  private(set) var keyValues = WeightFormat.bf16

  /// Finds what a checkpoint says; nil where it says nothing: 16-bit weights.
  ///
  /// - Parameters:
  ///   - configs: the objects that may hold `quantization_config`, the outermost first.
  ///   - folder: where companion files may lie.
  /// - Throws: `JSONError` for what is not understood.
  init?(_ configs: [JSONObject], folder: URL?) throws(JSONError) {
    for config in configs {
      for field in ["quantization_config", "compression_config"] {
        guard let object = try config.optionalObject(field), !object.members.isEmpty else { continue }
        try self.init(object)
        return
      }
    }
    for name in ["hf_quant_config.json", "quantize_config.json", "quant_config.json"] {
      guard let path = folder?.appending(path: name).relativePath,
        FileManager.default.fileExists(atPath: path)
      else { continue }
      let file = try JSONReader.object(path: path)
      try self.init(name == "hf_quant_config.json" ? file.object("quantization") : file, companion: name)
      return
    }
    return nil
  }

  private init(_ object: JSONObject, companion: String? = nil) throws(JSONError) {
    self.object = object
    ignored = try ModuleNames([], field: "", of: object)
    let method: String
    if let companion {
      method =
        companion == "hf_quant_config.json" ? "modelopt" : object.value("w_bit") == nil ? "gptq" : "awq"
    } else if let stated = try object.optionalText("quant_method") {
      method = stated
    } else if object.value("quant_algo") != nil {
      method = "modelopt"
    } else {
      throw object.missing("quant_method", expected: Self.methods)
    }
    switch method {
    case "mxfp4":
      isOfExpertsAlone = true
      rules = [Rule(format: .mxfp4)]
    case "fp8":
      rules = [Rule(format: try Self.blocked(object))]
    case "fbgemm_fp8":
      rules = [Rule(format: .fp8)]
    case "modelopt", "modelopt_fp4":
      rules =
        try object.optionalText("quant_algo") == "MIXED_PRECISION"
        ? Self.mixed(object) : [Rule(format: Self.modelOpt(object))]
    case "compressed-tensors":
      rules = try Self.groups(object)
    case "awq", "gptq", "awq_marlin", "gptq_marlin":
      rules = [Rule(format: try Self.integer(object))]
    default:
      throw object.invalid("quant_method", .text(method), expected: Self.methods)
    }
    var fields: [String] = []
    for field in ["ignore", "exclude_modules", "modules_to_not_convert", "ignored_layers"] {
      guard let names = try object.optionalTexts(field), !names.isEmpty else { continue }
      try ignored.add(names, field: field, of: object)
      fields.append(field)
    }
    if !fields.isEmpty { ignoredField = fields.joined(separator: " + ") }
    keyValues = try Self.keyValues(object)
  }

  private static let methods =
    "'fp8', 'fbgemm_fp8', 'modelopt', 'compressed-tensors', 'mxfp4', 'awq' or 'gptq', or no quantization_config "
    + "for 16-bit weights"

  // What the methods say

  private static func blocked(_ object: JSONObject) throws(JSONError) -> WeightFormat {
    if let format = try object.optionalText("fmt"), !format.hasSuffix("e4m3"), !format.hasSuffix("e4m3fn") {
      throw object.invalid("fmt", .text(format), expected: "'e4m3'")
    }
    guard let block = object.value("weight_block_size") else { return .fp8 }
    guard block == .list([.integer(128), .integer(128)]) else {
      throw object.invalid("weight_block_size", block, expected: "[128, 128], or none for one scale a tensor")
    }
    return .fp8Block
  }

  /// The formats of matrices that are listed one by one; the others are 16-bit.
  private static func mixed(_ object: JSONObject) throws(JSONError) -> [Rule] {
    let layers = try object.object("quantized_layers")
    var names: [WeightFormat: [String]] = [:]
    for member in layers.members {
      names[try modelOpt(try layers.object(member.key)), default: []].append(member.key)
    }
    var rules: [Rule] = []
    for format in WeightFormat.allCases {
      guard let listed = names[format] else { continue }
      rules.append(
        Rule(
          modules: try ModuleNames(listed, field: "quantized_layers", of: object),
          place: object.place("quantized_layers"), format: format))
    }
    return rules
  }

  private static func modelOpt(_ object: JSONObject) throws(JSONError) -> WeightFormat {
    let algorithm = try object.text("quant_algo")
    switch algorithm {
    case "FP8", "FP8_PER_CHANNEL_PER_TOKEN": return .fp8
    case "NVFP4", "W4A16_NVFP4":
      if let size = try object.optionalInteger("group_size", in: 1...(1 << 20)), size != 16 {
        throw object.invalid("group_size", .integer(size), expected: "16 for NVFP4")
      }
      return algorithm == "NVFP4" ? .nvfp4 : .nvfp4W4A16
    default:
      throw object.invalid(
        "quant_algo", .text(algorithm),
        expected: "'FP8', 'FP8_PER_CHANNEL_PER_TOKEN', 'NVFP4', 'W4A16_NVFP4' or 'MIXED_PRECISION'")
    }
  }

  /// AWQ and GPTQ: integers in groups, activations in 16 bits.
  private static func integer(_ object: JSONObject) throws(JSONError) -> WeightFormat {
    if case .object(let exceptions)? = object.value("dynamic"), !exceptions.isEmpty {
      throw object.invalid(
        "dynamic", .object(exceptions), expected: "none: layers that differ in their bits are not supported")
    }
    if object.value("lm_head") == .flag(true) {
      throw object.invalid("lm_head", .flag(true), expected: "false: a quantised LM head is not supported")
    }
    let bits = object.value("w_bit") == nil ? "bits" : "w_bit"
    let size = object.value("q_group_size") == nil ? "group_size" : "q_group_size"
    return try integer(bits: bits, group: size, of: object)
  }

  private static func integer(
    bits field: String, group: String, of object: JSONObject
  ) throws(JSONError) -> WeightFormat {
    let bits = try object.integer(field, in: 1...64)
    guard bits == 4 || bits == 8 else { throw object.invalid(field, .integer(bits), expected: "4 or 8") }
    let size = try object.integer(group, in: -1...(1 << 20))
    switch (bits, size) {
    case (8, 128): return .int8
    case (4, 128): return .int4
    case (4, 64): return .int4Groups64
    case (4, 32): return .int4Groups32
    default:
      throw object.invalid(
        group, .integer(size),
        expected: bits == 8 ? "128 for 8-bit weights" : "32, 64 or 128 for 4-bit weights")
    }
  }

  private static func groups(_ object: JSONObject) throws(JSONError) -> [Rule] {
    let groups = try object.object("config_groups")
    var rules: [Rule] = []
    for name in groups.members.map(\.key).sorted() {
      let group = try groups.object(name)
      let targets = try group.optionalTexts("targets") ?? []
      let areAll = targets.isEmpty || targets.contains("Linear")
      rules.append(
        Rule(
          modules: areAll ? nil : try ModuleNames(targets, field: "targets", of: group),
          place: group.place("targets"), format: try format(of: group)))
    }
    guard !rules.isEmpty else { throw object.missing("config_groups", expected: "at least one group") }
    let rest = rules.filter { $0.modules == nil }
    if let other = rest.first(where: { $0.format != rest[0].format }) {
      throw .invalid(
        file: object.file, field: other.place, value: "all matrices, as in another group",
        expected: "one group of all matrices, or one format")
    }
    // Groups that name modules count before one that takes the rest.
    return rules.filter { $0.modules != nil } + rules.filter { $0.modules == nil }
  }

  private static func format(of group: JSONObject) throws(JSONError) -> WeightFormat {
    let weights = try group.object("weights")
    let bits = try weights.integer("num_bits", in: 1...64)
    let type = try weights.text("type")
    let strategy = try weights.optionalText("strategy") ?? "tensor"
    let inputs = try group.optionalObject("input_activations")
    var inputBits: Int?
    if let inputs { inputBits = try inputs.integer("num_bits", in: 1...64) }
    switch (type, bits, inputBits, strategy) {
    case ("float", 8, 8, "tensor"), ("float", 8, 8, "channel"): return .fp8
    case ("float", 8, 8, "block"):
      let block = weights.value("block_structure") ?? .null
      guard block == .list([.integer(128), .integer(128)]) || block == .text("128x128") else {
        throw weights.invalid("block_structure", block, expected: "[128, 128]")
      }
      return .fp8Block
    case ("float", 4, 4, "tensor_group"), ("float", 4, 4, "group"):
      let size = try weights.integer("group_size", in: 1...(1 << 20))
      guard size == 16 else {
        throw weights.invalid("group_size", .integer(size), expected: "16 for NVFP4")
      }
      return .nvfp4
    case ("int", 8, 8, "tensor"), ("int", 8, 8, "channel"): return .int8W8A8
    case ("int", 8, nil, "group"), ("int", 4, nil, "group"):
      return try integer(bits: "num_bits", group: "group_size", of: weights)
    default:
      let activations = inputBits.map { "\($0)-bit" } ?? "16-bit"
      throw .invalid(
        file: group.file, field: group.place("weights"),
        value: "\(bits)-bit \(type) by \(strategy) with \(activations) activations",
        expected:
          "FP8 with FP8 activations (tensor, channel, block), NVFP4, INT8 with INT8 activations, or INT8 or INT4 in groups"
      )
    }
  }

  private static func keyValues(_ object: JSONObject) throws(JSONError) -> WeightFormat {
    for field in ["kv_cache_scheme", "kv_cache_quant_algo"] {
      switch object.value(field) {
      case nil: continue
      case .text(let text)? where text.uppercased() == "FP8": return .fp8
      case .object(let members)?:
        let scheme = JSONObject(members, file: object.file, path: object.place(field))
        if try scheme.integer("num_bits", in: 1...64) == 8, try scheme.text("type") == "float" { return .fp8 }
        throw object.invalid(field, .object(members), expected: "8-bit floats, or none for 16 bits")
      case let other?: throw object.invalid(field, other, expected: "'FP8', or none for 16 bits")
      }
    }
    return .bf16
  }

  // What that means for a matrix

  /// Refuses formats of experts alone in a model without experts.
  func requireExperts(_ routed: [Int]) throws(JSONError) {
    if isOfExpertsAlone, routed.isEmpty {
      throw object.invalid(
        "quant_method", .text("mxfp4"), expected: "a model with experts: no other matrices are stored so")
    }
  }

  /// The format of a kind of matrices, which must be the same in some layers.
  ///
  /// - Parameters:
  ///   - kind: what they are, for messages.
  ///   - areExperts: whether they belong to routed experts.
  ///   - names: names of the matrices in a layer; several lists where checkpoints differ in their names.
  ///   - layers: the layers that have such matrices.
  /// - Returns: 16 bits where there are no such layers.
  /// - Throws: `JSONError` where layers differ, or matrices that are one product.
  mutating func format(
    of kind: String, areExperts: Bool = false, _ names: [[String]], in layers: [Int]
  ) throws(JSONError) -> WeightFormat {
    guard !isOfExpertsAlone || areExperts else { return .bf16 }
    var known: WeightFormat?
    for layer in layers {
      let found = try format(of: kind, names, layer: layer)
      guard known == nil || known == found else {
        throw .invalid(
          file: object.file, field: object.place(ignoredField),
          value: "a list by which \(kind) of layer \(layer) is \(found.rawValue)",
          expected:
            "\(known?.rawValue ?? "") as in layer \(layers[0]): layers that differ in their formats are not supported"
        )
      }
      known = found
    }
    return known ?? .bf16
  }

  /// The layers whose matrices of a kind a list leaves in 16 bits.
  ///
  /// - Throws: `JSONError` where it names some of a layer's alone.
  func layersLeftOut(of kind: String, _ names: [[String]], in layers: [Int]) throws(JSONError) -> [Int] {
    var found: [Int] = []
    for layer in layers
    where try self.names(names, of: kind, layer: layer, areIn: ignored, object.place(ignoredField)) {
      found.append(layer)
    }
    return found
  }

  private mutating func format(
    of kind: String, _ names: [[String]], layer: Int
  ) throws(JSONError) -> WeightFormat {
    if try self.names(names, of: kind, layer: layer, areIn: ignored, object.place(ignoredField)) {
      for (index, rule) in rules.enumerated() {
        if let modules = rule.modules,
          names.joined().contains(where: { Self.contains(modules, $0, layer: layer) })
        {
          used.insert(index)
        }
      }
      return .bf16
    }
    var found: WeightFormat?
    for (index, rule) in rules.enumerated() {
      if let modules = rule.modules {
        guard try self.names(names, of: kind, layer: layer, areIn: modules, rule.place) else { continue }
        used.insert(index)
      }
      found = found ?? rule.format
    }
    return found ?? .bf16
  }

  /// Whether a list names the matrices of a product; an error where it names some of them alone.
  private func names(
    _ names: [[String]], of kind: String, layer: Int, areIn modules: ModuleNames, _ place: String
  ) throws(JSONError) -> Bool {
    guard !modules.isEmpty else { return false }
    func isNamed(_ name: String) -> Bool { Self.contains(modules, name, layer: layer) }
    if names.contains(where: { $0.allSatisfy(isNamed) }) { return true }
    guard let alone = names.joined().first(where: isNamed) else { return false }
    throw .invalid(
      file: object.file, field: place, value: "a list with \(alone) of layer \(layer)",
      expected: "all or none of the matrices of \(kind)")
  }

  private static func contains(_ modules: ModuleNames, _ name: String, layer: Int) -> Bool {
    ["model.layers", "model.language_model.layers", "language_model.model.layers", "backbone.layers"]
      .contains { modules.contains("\($0).\(layer).\(name)") }
  }

  /// The format of the LM head: that of a list that names it, else 16 bits, whatever a checkpoint says of all matrices.
  mutating func formatOfHead() -> WeightFormat {
    guard !ignored.contains("lm_head") else { return .bf16 }
    guard
      let index = rules.firstIndex(where: { $0.place.hasSuffix("quantized_layers") && $0.names("lm_head") })
    else { return .bf16 }
    used.insert(index)
    return rules[index].format
  }

  /// Refuses groups whose names were not found in the model, once the formats of all kinds are known.
  func requireUse() throws(JSONError) {
    for (index, rule) in rules.enumerated() where rule.modules != nil && !used.contains(index) {
      throw .invalid(
        file: object.file, field: rule.place, value: "a list of no quantised matrix of the model",
        expected: "'Linear', or projections of attention, MLPs or experts; all else is 16-bit")
    }
  }
}
