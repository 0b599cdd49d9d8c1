import Serving

/// Streams of tokens, which requests read a beginning of and write on.
///
/// Positions of a stream below some number may be those of another stream, and of a third one below a smaller number.
package struct PromptStreams: Sendable {
  /// What prompts begin with, for a prefix cache.
  package private(set) var contents = PromptContents()
  private var numbers: [Int: Int32] = [:]
  private var pieces: [Int: [PromptContents.Piece]] = [:]

  package init() {}

  /// Whether a stream is known.
  package func knows(_ stream: Int) -> Bool { numbers[stream] != nil || pieces[stream] != nil }

  /// Lets a new stream begin with the first tokens of another one.
  package mutating func share(_ stream: Int, with other: Int, tokens: Tokens) {
    guard !knows(stream) else { return }
    let shared = (pieces[other] ?? [PromptContents.Piece(begin: 0, source: other)]).filter {
      $0.begin < tokens
    }
    pieces[stream] = shared + [PromptContents.Piece(begin: tokens, source: stream)]
  }

  /// The number of a stream in ``contents``.
  package mutating func content(of stream: Int) -> Int32 {
    if let number = numbers[stream] { return number }
    let number = contents.append(
      pieces[stream] ?? [PromptContents.Piece(begin: 0, source: stream)], length: nil)
    numbers[stream] = number
    return number
  }
}
