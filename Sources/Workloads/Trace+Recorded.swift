import Serving

extension Trace {
  /// Makes a trace of requests that were recorded somewhere, with their arrivals.
  ///
  /// - Parameters:
  ///   - name: what it is called.
  ///   - recorded: the requests, at least one, in order of arrival; arrivals in seconds since any moment.
  ///   - failures: requests that were left out.
  ///   - digest: SHA-256 of what they were recorded in.
  public init(name: String, recorded: [TraceRow], failures: Int = 0, digest: String) {
    precondition(!recorded.isEmpty, "a trace has at least one request")
    let start = recorded[0].arrival
    var rows = recorded
    for index in rows.indices { rows[index].arrival -= start }
    self.init(name: name, format: .lengths, rows: rows, hasArrivals: true, failures: failures, digest: digest)
  }
}
