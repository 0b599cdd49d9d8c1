import Experiments
import Foundation

/// Says a last word when the user stops a long command, and ends the program.
struct InterruptHandler {
  private let sources: [any DispatchSourceSignal]

  /// Begins to listen.
  init(_ lastWord: @escaping @Sendable () -> Void) {
    sources = [SIGINT, SIGTERM].map { number in
      // The default action would be quicker than the source.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        lastWord()
        // Threads still run: nothing of theirs may be torn down under them.
        _exit(128 + number)
      }
      source.resume()
      return source
    }
  }

  /// Lets a run come to its end early at the first signal, and ends the program at the second.
  init(stopping interruption: Interruption) {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if interruption.isRequested { _exit(128 + number) }
        interruption.request()
        warn("interrupted; the report is of the requests that were sent so far (again: ends at once)")
      }
      source.resume()
      return source
    }
  }

  /// Leaves the signals to their default actions again.
  func cancel() {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }
}
