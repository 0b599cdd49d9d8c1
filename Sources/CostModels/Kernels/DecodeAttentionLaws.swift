/// The decode attention of so many sequences: of layers that see everything, and of those that see a window.
struct DecodeAttentionLaws: Sendable {
  let full: DecodeAttentionLaw
  let windowed: DecodeAttentionLaw
}
