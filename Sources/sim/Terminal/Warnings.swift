import Foundation
import Support

/// Writes a line on standard error.
func warn(_ text: String) { writeError("sim: \(text.onOneLine(limit: 2000))\n") }

/// Writes on standard error; where that is closed or full there is no place left to say so, and the program goes on.
func writeError(_ text: String) {
  let bytes = Array(text.utf8)
  unsafe bytes.withUnsafeBytes { bytes in
    var done = 0
    while done < bytes.count {
      let written = unsafe write(STDERR_FILENO, bytes.baseAddress?.advanced(by: done), bytes.count - done)
      guard written > 0 else { return }
      done += written
    }
  }
}
