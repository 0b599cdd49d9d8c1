/// A buffer that travels between the engine's thread, which fills it, and the spill's, which empties it.
///
/// `@unchecked`: it belongs to one of them at a time; the handing over is synchronised.
final class RecordBuffer<Record>: @unchecked Sendable {
  var records: [Record] = []
}
