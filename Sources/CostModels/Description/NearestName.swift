/// The candidate that is the fewest edits away from a misspelt word; nil where even that one is far off.
///
/// Levenshtein distance over UTF-8. An ending of a path, `per_iteration_ms` for `host.per_iteration_ms`, is near.
func nearest(to word: String, in candidates: [String]) -> String? {
  if let whole = candidates.first(where: { $0.hasSuffix("." + word) }) { return whole }
  let word = Array(word.utf8.prefix(100))
  var best: (name: String, edits: Int)?
  for candidate in candidates {
    let edits = edits(from: word, to: Array(candidate.utf8))
    if edits < best?.edits ?? Int.max { best = (candidate, edits) }
  }
  guard let best, best.edits <= max(2, best.name.utf8.count / 2) else { return nil }
  return best.name
}

private func edits(from a: [UInt8], to b: [UInt8]) -> Int {
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let substituted = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[b.count]
}
