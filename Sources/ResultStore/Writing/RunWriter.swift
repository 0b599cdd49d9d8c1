import Foundation
import GRDB
import Serving

/// Keeps what one run logs, and at its end appends it to a database, in one transaction.
///
///     let writer = try RunWriter(path: "Results/sim.sqlite")
///     simulation.run(recorder: writer)
///     let runID = try writer.finish(RunRow(parameters: …, summary: …), kernels: …)
///
/// While the simulation runs, the database is not touched: full buffers of records go to an unnamed file
/// beside the database, which a thread of its own writes. So no run keeps the write lock while it computes,
/// jobs of a sweep wait for each other only as they write, a run that is killed at any moment leaves nothing
/// behind, and rows go in by instance, in the order of their key, which is more than twice as fast as in the
/// order of time.
///
/// A writer belongs to one thread at a time. After `finish` or `abandon` it is ready for another run.
public final class RunWriter: Recorder {
  /// Where results go unless the user says otherwise: the environment variable `SIM_DB` names one database for all folders.
  public static let defaultPath =
    ProcessInfo.processInfo.environment["SIM_DB"].flatMap { $0.isEmpty ? nil : $0 }
    ?? "Results/sim.sqlite"

  /// Records in a buffer: at most half a megabyte, few enough to stay in a cache.
  static let chunk = 4_096

  /// The database's path.
  public let path: String
  /// What is kept.
  public let logLevel: LogLevel
  /// What went wrong as records were put aside; from then on they are dropped, and `finish` throws it.
  ///
  /// Only a run of more than some thousand records can fail before its end. A driver may look here now and
  /// then, and stop early.
  public var failure: ResultStoreError? { spill.failure }

  /// Has something done, on another thread, as soon as records cannot be kept any more, such as for want of room.
  public func onFailure(_ action: @escaping @Sendable () -> Void) { spill.onFailure(action) }

  /// Bytes in the spill from which on a run does not go through the write-ahead log.
  var largeRun = 16 << 20
  /// How long `finish` waits for other writers, in seconds.
  let busyTimeout: Double
  let database: DatabaseQueue
  let spill: SpillFile
  private let keepsIterations: Bool

  /// A log for each instance, so that each is written in the order of its iterations; its last strip may grow.
  var iterations: [RecordLog<IterationStrip>] = []
  var spans = RecordLog<SpanRecord>()
  var transfers = RecordLog<TransferRecord>()
  var requests = RecordLog<RequestRecord>()
  var kernels = RecordLog<KernelRow>()
  var kernelNames: [String] = []

  /// Opens a database for another run, and creates it if there is none.
  ///
  /// The directory of the default path is created as well; any other must exist, since a mistyped path is
  /// likelier than a wish for a new directory.
  ///
  /// - Parameters:
  ///   - path: The database's path.
  ///   - logLevel: What to keep.
  ///   - busyTimeout: How long to wait for other writers, in seconds.
  /// - Throws: `ResultStoreError`, if the database cannot be written or is not one of results.
  public init(
    path: String = defaultPath, logLevel: LogLevel = .iterations, busyTimeout: Double = 60
  ) throws(ResultStoreError) {
    self.path = path
    self.logLevel = logLevel
    self.busyTimeout = busyTimeout
    keepsIterations = logLevel >= .iterations
    database = try ResultDatabase.openForWriting(
      path: path, createDirectory: path == Self.defaultPath, busyTimeout: busyTimeout)
    spill = SpillFile(database: path)
  }

  /// Whether kernels are to be recorded for each iteration.
  public var wantsKernels: Bool { logLevel >= .kernels }

  /// Keeps an iteration.
  ///
  /// - Complexity: O(1); allocates nothing once warm. Waits if the disk is slower than the simulation.
  public func record(_ iteration: borrowing IterationRecord) {
    guard keepsIterations else { return }
    let instance = Int(iteration.instance)
    while instance >= iterations.count { iterations.append(RecordLog()) }
    iterations[instance].append(iteration, puttingAsideIn: spill)
  }

  /// Keeps successive iterations.
  ///
  /// - Complexity: O(iterations).
  public func record(_ iterations: Span<IterationRecord>) {
    guard keepsIterations else { return }
    for i in iterations.indices { record(iterations[i]) }
  }

  /// Keeps what each kernel used in an iteration, at log level `kernels`.
  public func record(kernels uses: [KernelUse], instance: Int32, iteration: Int64) {
    guard wantsKernels else { return }
    for (position, use) in uses.enumerated() {
      kernels.latest.append(
        KernelRow(
          kernel: rank(of: use.kernel, near: position), instance: instance, iteration: iteration,
          calls: use.calls,
          extrapolatedCalls: use.extrapolatedCalls, seconds: use.seconds, joules: use.joules,
          flops: use.flops,
          bytes: use.bytes))
    }
    if kernels.latest.count >= Self.chunk { kernels.putAside(in: spill) }
  }

  /// Keeps a stretch of iterations of a request.
  ///
  /// Spans say which steps a request took. How many tokens speculation wrote in each is not kept.
  public func record(_ span: SpanRecord) {
    guard keepsIterations, !span.isBurst else { return }
    spans.latest.append(span)
    if spans.latest.count >= Self.chunk { spans.putAside(in: spill) }
  }

  /// Keeps a prompt that went from one instance to another.
  public func record(_ transfer: TransferRecord) {
    transfers.latest.append(transfer)
    if transfers.latest.count >= Self.chunk { transfers.putAside(in: spill) }
  }

  /// Keeps a request that has ended.
  public func record(_ request: RequestRecord) {
    requests.latest.append(request)
    if requests.latest.count >= Self.chunk { requests.putAside(in: spill) }
  }

  /// Appends the run to the database.
  ///
  /// If it throws, the records are still there: it may be called again, say after the disk has room.
  ///
  /// - Parameters:
  ///   - row: What was asked for and what came out.
  ///   - kernels: The totals of each kernel; entries of the same name are added.
  /// - Returns: The run's number in the database, which no other run ever gets.
  /// - Throws: `ResultStoreError`.
  /// - Complexity: O(n) for n records; about 1 µs each, iterations less than half of that.
  public func finish(_ row: RunRow, kernels: [KernelUse] = []) throws(ResultStoreError) -> Int64 {
    spill.waitUntilIdle()
    if let failure { throw failure }
    do {
      var runID: Int64 = 0
      try database.writeWithoutTransaction { db in
        try ResultDatabase.write(db, isLarge: spill.size >= largeRun) {
          runID = try insert(row, into: db)
          try insert(row.instances, of: runID, into: "instances", db)
          try insert(row.percentiles, of: runID, into: "percentiles", db)
          try insert(kernels, of: runID, into: db)
          try insertRecords(of: runID, into: db)
        }
      }
      abandon()
      return runID
    } catch {
      throw ResultStoreError(error, path: path, busyTimeout: busyTimeout)
    }
  }

  /// Drops what was recorded since the last run was finished; the database stays as it is.
  public func abandon() {
    spill.reset()
    for instance in iterations.indices { iterations[instance].removeAll() }
    spans.removeAll()
    transfers.removeAll()
    requests.removeAll()
    kernels.removeAll()
    kernelNames.removeAll()
  }

  /// The rank of a kernel's name; kernels mostly come in the same order, so the rank is mostly its position.
  private func rank(of name: String, near position: Int) -> Int32 {
    if position < kernelNames.count && kernelNames[position] == name { return Int32(position) }
    if let rank = kernelNames.firstIndex(of: name) { return Int32(rank) }
    kernelNames.append(name)
    return Int32(kernelNames.count - 1)
  }
}
