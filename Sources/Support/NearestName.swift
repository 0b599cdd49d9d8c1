/// The known name that a mistyped one most likely means, or nil if none is close.
///
/// Close is an edit distance (insertions, deletions and substitutions, letter case aside) of at most two fifths
/// of the longer name, or being the beginning of a known name. The first of equally close names wins. The ending of
/// a dotted path, `per_iteration_ms` for `host.per_iteration_ms`, is as good as the path.
///
/// - Complexity: O(*n m*) for each known name, in its length and the length of `name`.
public func nearestName(to name: String, among known: some Sequence<String>) -> String? {
  if let path = known.first(where: { $0.hasSuffix("." + name) }) { return path }
  let typed = Array(name.lowercased().unicodeScalars)
  var best: (name: String, distance: Int)?
  for candidate in known {
    let other = Array(candidate.lowercased().unicodeScalars)
    let isBeginning = typed.count >= 2 && other.starts(with: typed)
    let distance = isBeginning ? min(1, other.count - typed.count) : editDistance(typed, other)
    guard distance * 5 <= max(typed.count, other.count) * 2, distance < best?.distance ?? .max else {
      continue
    }
    best = (candidate, distance)
  }
  return best?.name
}

/// Levenshtein's distance, with one row of the table in memory.
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  var row = Array(0...b.count)
  for i in a.indices {
    var diagonal = row[0]
    row[0] = i + 1
    for j in b.indices {
      let substitution = diagonal + (a[i] == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substitution, diagonal + 1, row[j] + 1)
    }
  }
  return row[b.count]
}
