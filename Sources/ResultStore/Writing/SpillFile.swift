import Foundation
import Synchronization

/// Where records wait for the end of their run: a file that a thread of its own writes, so that the engine
/// does not wait.
///
/// The file has no name, so that nothing is left of it whatever happens to the process. It is made when it is
/// needed: small runs go without.
final class SpillFile: Sendable {
  private struct State {
    /// The open file; -1 if there is none.
    var descriptor: Int32 = -1
    /// What went wrong first; nothing is written after it.
    var failure: ResultStoreError?
    /// What is done when something goes wrong.
    var alarm: (@Sendable () -> Void)?
  }

  private let database: String
  private let thread = DispatchQueue(label: "ResultStore.SpillFile")
  /// Bounds how many buffers wait, and so memory.
  private let places = DispatchSemaphore(value: 4)
  private let state = Mutex(State())
  private let end = Atomic(0)

  /// Creates the spill of a run that goes to the database at a path.
  init(database: String) { self.database = database }

  deinit { closeFile() }

  /// What went wrong as buffers were written.
  var failure: ResultStoreError? { state.withLock { $0.failure } }

  /// Has something done, on another thread, when something goes wrong.
  func onFailure(_ alarm: @escaping @Sendable () -> Void) { state.withLock { $0.alarm = alarm } }

  /// Sets bytes of the file apart, and returns where they begin.
  func claim(bytes: Int) -> Int { end.add(bytes, ordering: .relaxed).oldValue }

  /// Bytes that were set apart.
  var size: Int { end.load(ordering: .relaxed) }

  /// Has the spill's thread do a piece of writing; waits while too many are under way.
  func enqueue(_ work: @escaping @Sendable (SpillFile) throws(ResultStoreError) -> Void) {
    places.wait()
    thread.async { [self] in
      defer { places.signal() }
      guard failure == nil else { return }
      do throws(ResultStoreError) {
        try work(self)
      } catch {
        let alarm = state.withLock { state in
          state.failure = error
          return state.alarm
        }
        alarm?()
      }
    }
  }

  /// Returns when everything that was enqueued is done.
  func waitUntilIdle() { thread.sync {} }

  /// Writes bytes to a place that was set apart for them.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(ResultStoreError) {
    let descriptor = try openFile()
    var done = 0
    while done < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw ResultStoreError(errno: errno, path: database) }
      done += count
    }
  }

  /// Fills bytes from a place that was written.
  func read(_ bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(ResultStoreError) {
    let descriptor = try openFile()
    var done = 0
    while done < bytes.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
      let count = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw ResultStoreError(errno: count < 0 ? errno : EIO, path: database) }
      done += count
    }
  }

  /// Forgets everything.
  func reset() {
    waitUntilIdle()
    closeFile()
    state.withLock { $0.failure = nil }
    end.store(0, ordering: .relaxed)
  }

  /// The open file.
  ///
  /// It is created beside the database, where large files are expected, and loses its name at once.
  private func openFile() throws(ResultStoreError) -> Int32 {
    try state.withLock { state throws(ResultStoreError) in
      if state.descriptor < 0 {
        var name = Array((database + ".spill-XXXXXX").utf8CString)
        state.descriptor = unsafe mkstemp(&name)
        guard state.descriptor >= 0 else { throw ResultStoreError(errno: errno, path: database) }
        unsafe unlink(name)
      }
      return state.descriptor
    }
  }

  private func closeFile() {
    state.withLock { state in
      if state.descriptor >= 0 { close(state.descriptor) }
      state.descriptor = -1
    }
  }
}
