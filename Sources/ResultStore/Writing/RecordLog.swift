import Synchronization

/// Records of one kind, in the order in which they came: the latest in memory, those before in a file.
struct RecordLog<Record> {
  /// Where a full buffer went.
  private struct Extent {
    var offset: Int
    var count: Int
  }

  /// Buffers that the spill has emptied.
  private final class Spares: Sendable {
    let buffers = Mutex<[RecordBuffer<Record>]>([])
  }

  /// The latest records, to be appended to directly: without whole-module optimisation, a generic method of
  /// another file would not be specialised.
  var latest: [Record] = []
  private var extents: [Extent] = []
  private let spares = Spares()

  /// Creates an empty log.
  init() {
    precondition(_isPOD(Record.self), "records go to a file as the bytes that they are")
  }

  /// Hands the latest records to the spill and goes on with an empty buffer; waits if the spill is far
  /// behind.
  mutating func putAside(in spill: SpillFile) {
    let spares = spares
    let buffer = spares.buffers.withLock { $0.popLast() } ?? RecordBuffer()
    buffer.records.reserveCapacity(latest.capacity)
    swap(&latest, &buffer.records)
    let offset = spill.claim(bytes: buffer.records.count * MemoryLayout<Record>.stride)
    extents.append(Extent(offset: offset, count: buffer.records.count))
    spill.enqueue { file throws(ResultStoreError) in
      try unsafe buffer.records.withUnsafeBufferPointer { records throws(ResultStoreError) in
        try unsafe file.write(UnsafeRawBufferPointer(records), at: offset)
      }
      buffer.records.removeAll(keepingCapacity: true)
      spares.buffers.withLock { $0.append(buffer) }
    }
  }

  /// Hands out all records, a chunk at a time; the spill must be idle.
  func forEachChunk(in spill: SpillFile, _ body: ([Record]) throws -> Void) throws {
    var chunk: [Record] = []
    for extent in extents {
      if chunk.count == extent.count {
        try unsafe chunk.withUnsafeMutableBytes { try unsafe spill.read($0, at: extent.offset) }
      } else {
        chunk = try unsafe [Record](unsafeUninitializedCapacity: extent.count) { buffer, initialized in
          try unsafe spill.read(UnsafeMutableRawBufferPointer(buffer), at: extent.offset)
          initialized = extent.count
        }
      }
      try body(chunk)
    }
    try body(latest)
  }

  /// Forgets everything, but keeps the buffers; the spill must be idle.
  mutating func removeAll() {
    extents.removeAll()
    latest.removeAll(keepingCapacity: true)
  }
}
