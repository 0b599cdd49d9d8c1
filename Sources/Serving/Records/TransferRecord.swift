/// KV entries of a prompt on their way from the instance that computed them to the one that decodes.
public struct TransferRecord: Sendable, Hashable {
  /// The request's position in the workload.
  public var request: Int
  /// The instance that computed the prompt.
  public var source: Int32
  /// The instance that decodes.
  public var sink: Int32
  /// Bytes that were moved.
  public var bytes: Double
  /// When the first of them were ready.
  public var readyAt: Seconds
  /// When there was memory for them, and the first could leave.
  public var startedAt: Seconds
  /// When the last of them was there.
  public var endedAt: Seconds
}
