import Serving

extension RouterCatalog.Parameter {
  /// How long first tokens and ends take to get to a router.
  static let delay = Self(
    "delay", "seconds until it learns of first tokens and ends; 0 where prefill and decode are apart",
    default: 0)
}

extension RouterCatalog.Entry {
  /// The entry, with a delay if its router looks at what becomes of requests and chooses among equal instances.
  func withSharedParameters() -> Self {
    let facts = RouterCatalog.Facts(instances: 1, contents: PromptContents(), blockSize: 1, seed: 0)
    guard !choosesPools, !make([:], facts).isOblivious else { return self }
    var entry = self
    entry.parameters.append(.delay)
    return entry
  }
}
