import Serving
import Support

/// A CSV file of what each request does in each iteration: step, request, tokens, computed_before.
///
/// Steps are numbered from 0; rows of one step are in order of requests.
package final class StepsFile {
  private let file: WholeFile

  /// Begins a file.
  package init(path: String) throws(FileError) {
    file = try WholeFile(path: path)
    file.write("step,request,tokens,computed_before\n")
  }

  /// Writes the rows of a step.
  package func write(_ rows: [StepRow], iteration: Int64) {
    for row in rows.sorted(by: { $0.request < $1.request }) {
      file.write("\(iteration),\(row.request),\(row.tokens),\(row.before)\n")
    }
  }

  /// Ends the file.
  package func finish() throws(FileError) { try file.finish() }
}
