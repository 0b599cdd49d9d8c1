import Serving

/// What a router remembers of the prompts that it sent to one instance: a guess at what the instance's cache has.
///
/// It does not see what the cache evicts; it forgets by a rule of its own.
struct SentPrompts: Sendable {
  private struct Piece: Sendable {
    /// The first position of its source, and the one behind the last that was sent.
    var begin: Tokens
    var end: Tokens
    var lastUse: Seconds
  }

  private var pieces: [Int: Piece] = [:]
  /// Distinct tokens that it remembers.
  private(set) var tokens = 0

  /// Tokens at the beginning of a prompt that were sent before, and not earlier than a time.
  ///
  /// - Complexity: O(pieces that match).
  func matched(_ prompt: [(source: Int, end: Tokens)], since earliest: Seconds = -.infinity) -> Tokens {
    var matched = 0
    for piece in prompt {
      guard let known = pieces[piece.source], known.lastUse >= earliest else { break }
      matched = min(known.end, piece.end)
      if known.end < piece.end { break }
    }
    return matched
  }

  /// Takes note of a prompt.
  mutating func note(_ prompt: [(source: Int, end: Tokens)], at now: Seconds) {
    var begin = 0
    for piece in prompt {
      var known = pieces[piece.source] ?? Piece(begin: begin, end: begin, lastUse: now)
      tokens += max(0, piece.end - known.end)
      known.end = max(known.end, piece.end)
      known.lastUse = now
      pieces[piece.source] = known
      begin = piece.end
    }
  }

  /// Forgets what was not sent since a time.
  mutating func forget(before earliest: Seconds) {
    pieces = pieces.filter { $0.value.lastUse >= earliest }
    tokens = pieces.values.reduce(0) { $0 + $1.end - $1.begin }
  }

  /// Forgets what was sent longest ago, the ends of prompts first, until at most this many tokens are left.
  mutating func forget(beyond most: Tokens) {
    guard tokens > most else { return }
    let order = pieces.map { (source: $0.key, piece: $0.value) }.sorted {
      ($0.piece.lastUse, -$0.piece.begin, $0.source) < ($1.piece.lastUse, -$1.piece.begin, $1.source)
    }
    for (source, piece) in order where tokens > most {
      tokens -= piece.end - piece.begin
      pieces[source] = nil
    }
  }

  /// How many pieces it remembers.
  var count: Int { pieces.count }
}
