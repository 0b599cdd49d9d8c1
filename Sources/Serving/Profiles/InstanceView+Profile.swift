// What sequences lack of the KV entries of their prompts, where a profile drops rows. A sequence knows it for itself; of
// those that step together there are sums, which change only when one joins or leaves.
extension InstanceView {
  /// What the profile makes of a tile, before it is applied.
  func rows(of tile: Tile, _ profile: TokenProfile) -> TileRows {
    let i = tile.sequence.index
    return TileRows(
      tile, profile, missing: sequences[i].missing, prompt: Int(sequences[i].prefillTokens),
      images: sequences[i].record.request.imageTokens)
  }

  /// Takes note of a chunk that is through the model.
  mutating func noteEntries(of slot: Slot, _ rows: TileRows, _ profile: TokenProfile) {
    // What is not computed is loaded.
    guard profile.reuse == nil else { return }
    let lacking = rows.rows[0]
    for drop in profile.drops.indices {
      let before = rows.prefix[0] - rows.prefix[drop + 1]
      sequences[slot.index].missing[drop] = before + lacking - rows.rows[drop + 1]
    }
  }

  /// What those who step lack, if a plan is made.
  ///
  /// - Complexity: O(drops) if all who decode step, O(decoding sequences x drops) otherwise.
  func missing(in plan: borrowing StepPlan) -> [Tokens] {
    guard let profile, plan.decodes > 0 else { return profile?.drops.map { _ in 0 } ?? [] }
    if plan.victims == 0, plan.leftOut.isEmpty, leftOut.isEmpty, plan.decodes == decoding.stepping {
      return decoding.missing
    }
    var missing = profile.drops.map { _ in 0 }
    let absent = Set(plan.leftOut).union(plan.victimSlots)
    var left = plan.decodes
    for slot in decodersInOrder() where left > 0 && !absent.contains(slot) {
      for drop in missing.indices { missing[drop] += Int(sequences[slot.index].missing[drop]) }
      left -= 1
    }
    return missing
  }
}

extension DecodingSet {
  /// A sequence begins to step, or ceases to.
  mutating func changeMissing(_ sequence: InlineArray<16, Int32>, by sign: Int) {
    for drop in missing.indices { missing[drop] += sign * Int(sequence[drop]) }
  }
}

extension SequenceState {
  /// KV entries x layers of its prompt.
  func entries(layers: Int, _ profile: TokenProfile) -> Int {
    let tokens = Int(prefillTokens)
    var (area, begin) = (0, 0)
    for drop in profile.drops.indices {
      area += (profile.drops[drop].layer + 1 - begin) * (tokens - (drop > 0 ? Int(missing[drop - 1]) : 0))
      begin = profile.drops[drop].layer + 1
    }
    let last = profile.drops.count - 1
    return area + (layers - begin) * (tokens - (last >= 0 ? Int(missing[last]) : 0))
  }
}
