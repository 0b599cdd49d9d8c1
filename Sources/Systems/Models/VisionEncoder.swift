import Foundation
import Support

/// What makes tokens of images before a prompt is computed: a vision transformer, as the `vision_config` of a Hugging Face
/// configuration describes it.
public struct VisionEncoder: Sendable, Hashable {
  /// The name that results carry, such as `clip-vit-large-336`.
  public let name: String
  /// Layers.
  public let layers: Int
  /// Width of the residual stream.
  public let hidden: Int
  /// Width of the MLP, which has no gate.
  public let intermediate: Int
  /// Heads of attention; divides ``hidden``.
  public let heads: Int
  /// Positions that are computed of an image: its patches, and one of the class in CLIP.
  public let positions: Int

  /// Reads a configuration, or the `vision_config` in one of a whole model.
  ///
  /// - Throws: ``DescriptionError``, naming file and field.
  public init(contentsOf url: URL) throws(DescriptionError) {
    do throws(JSONError) {
      let whole = try JSONReader.object(path: url.relativePath, allowsInfinity: true)
      let config = try whole.optionalObject("vision_config") ?? whole
      let type = try config.text("model_type")
      guard ["clip_vision_model", "siglip_vision_model"].contains(type) else {
        throw JSONError.invalid(
          file: config.file, field: config.place("model_type"), value: type,
          expected: "clip_vision_model or siglip_vision_model")
      }
      name = url.deletingPathExtension().lastPathComponent
      layers = try config.integer("num_hidden_layers", in: 1...1024)
      hidden = try config.integer("hidden_size", in: 1...(1 << 20))
      intermediate = try config.integer("intermediate_size", in: 1...(1 << 20))
      heads = try config.integer("num_attention_heads", in: 1...4096)
      let (image, patch) = (
        try config.integer("image_size", in: 1...(1 << 16)), try config.integer("patch_size", in: 1...4096)
      )
      guard hidden.isMultiple(of: heads) else {
        throw JSONError.invalid(
          file: config.file, field: config.place("hidden_size"), value: "\(hidden)",
          expected: "a multiple of num_attention_heads, \(heads)")
      }
      guard patch <= image else {
        throw JSONError.invalid(
          file: config.file, field: config.place("patch_size"), value: "\(patch)",
          expected: "no more than image_size, \(image)")
      }
      let rows = image / patch
      guard rows <= 256 else {
        throw JSONError.invalid(
          file: config.file, field: config.place("image_size"), value: "\(image)",
          expected: "at most 256 patches of patch_size, \(patch), in a row")
      }
      positions = rows * rows + (type == "clip_vision_model" ? 1 : 0)
    } catch {
      throw DescriptionError(error)
    }
  }

  /// The encoder as a model without a vocabulary, whose layers are priced as any other's.
  public var model: ModelDescription {
    let all = Array(repeating: true, count: layers)
    var model = ModelDescription(
      name: name, layers: layers, hidden: hidden, vocabulary: 1, heads: heads, keyValueHeads: heads,
      headDim: hidden / heads, intermediate: intermediate, hasDenseMLP: all, experts: 0, topK: 0,
      expertIntermediate: 0, isRecurrent: all.map { _ in false }, hasMixer: all, hasFeedForward: all,
      hasTiedEmbeddings: true, queryKeyNorm: .none, hasQueryKeyValueBias: true, hasOutputBias: true,
      hasMLPBias: true, hasRoutingBias: false, hasAttentionSinks: false, windows: all.map { _ in nil },
      formats: MatrixFormats(), maxContext: positions)
    model.hasGatedMLP = false
    return model
  }
}
