import Foundation
import ResultStore
import Support

/// Writes a line on standard error.
func warn(_ text: String) { writeError("sim: \(text.onOneLine(limit: 2000))\n") }

/// Says of a run that is read that its figures and its log differ.
func warnOfDamage(_ run: Int64, in reader: ResultReader) throws {
  let figures = try reader.damage(ofRun: run)
  guard !figures.isEmpty else { return }
  warn(
    "run \(run) is damaged, or was changed: \(figures.joined(separator: ", ")) differ from its log ('sim query check' has all)"
  )
}

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
