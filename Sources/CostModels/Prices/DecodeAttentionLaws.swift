/// The decode attention of a number of sequences: of layers that see everything, and of those that see a window.
struct DecodeAttentionLaws: Sendable {
  let full: DecodeAttentionLaw
  let windowed: DecodeAttentionLaw
}
