import Serving

/// Layers of an iteration by what they carry.
package enum LayerGroup: String, CaseIterable, Sendable {
  case withPrefill = "layers with prefill"
  case decodeOnly = "layers with decode alone"

  /// What the layers of this group used.
  package func use(in uses: LayerUses) -> LayerUses.Use {
    switch self {
    case .withPrefill: uses.withPrefill
    case .decodeOnly: uses.decodeOnly
    }
  }
}
