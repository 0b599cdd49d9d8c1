/// Layers of an iteration by what they carry.
package enum LayerGroup: String, CaseIterable, Sendable {
  case withPrefill = "layers with prefill"
  case decodeOnly = "layers with decode alone"
}
