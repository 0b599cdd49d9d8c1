/// The requests that wait for admission: a list through the table of sequences, so that any of them can leave.
struct WaitingQueue: Sendable {
  private(set) var head = Slot.none
  private var tail = Slot.none
  private(set) var count = 0

  /// Puts a request at the end.
  mutating func append(_ slot: Slot, in table: inout [SequenceState]) {
    table[slot.index].previous = tail
    table[slot.index].next = .none
    if tail.exists { table[tail.index].next = slot } else { head = slot }
    tail = slot
    count += 1
  }

  /// Puts a request at the head.
  mutating func prepend(_ slot: Slot, in table: inout [SequenceState]) {
    table[slot.index].previous = .none
    table[slot.index].next = head
    if head.exists { table[head.index].previous = slot } else { tail = slot }
    head = slot
    count += 1
  }

  /// Puts a request behind all whose priority is not after its own; of equals the earlier one is first.
  ///
  /// - Complexity: O(requests behind it).
  mutating func insertByPriority(_ slot: Slot, in table: inout [SequenceState]) {
    var before = tail
    while before.exists, table[slot.index].comesBefore(table[before.index]) {
      before = table[before.index].previous
    }
    guard before.exists else { return prepend(slot, in: &table) }
    guard before != tail else { return append(slot, in: &table) }
    let after = table[before.index].next
    table[slot.index].previous = before
    table[slot.index].next = after
    table[before.index].next = slot
    table[after.index].previous = slot
    count += 1
  }

  /// Takes a request out.
  mutating func remove(_ slot: Slot, in table: inout [SequenceState]) {
    let (before, after) = (table[slot.index].previous, table[slot.index].next)
    if before.exists { table[before.index].next = after } else { head = after }
    if after.exists { table[after.index].previous = before } else { tail = before }
    count -= 1
  }
}
