import Support

/// Options of other tools that have no meaning here, and what to do instead.
enum ForeignOptions {
  private static let reasons = [
    "--dataset-name":
      "a trace is told by its content: --trace <file>, or --input-len and --output-len for random lengths",
    "--random-prefix-len": "prefixes come from a trace's hash_ids",
    "--num-warmups": "nothing has to warm up here; leave it out",
    "--dtype": "weights have the format of the model's config.json",
    "--quantization": "weights have the format of the model's config.json",
    "--ignore-eos": "every request has its output length from the trace; leave it out",
    "--enable-chunked-prefill": "it is a policy: --policy chunked",
    "--disable-log-requests": "nothing is logged but to the database; --no-db logs nothing",
    "--save-result": "results go to the database; --vllm-result <file> writes vLLM's format",
    "--endpoint": "no server is asked; leave it out", "--base-url": "no server is asked; leave it out",
    "--host": "no server is asked; leave it out", "--port": "no server is asked; leave it out",
    "--backend": "the engine is given by --engine",
  ]

  /// A parser's message with what is known about the option that it names, and with the nearest command.
  static func explained(_ message: String, commands: [String]) -> String {
    if message.contains("Unknown option '") {
      let option = message.split(separator: "'").dropFirst().first.map(String.init) ?? ""
      if let reason = reasons[option] { return "\(option): \(reason)" }
    }
    if message.contains("nexpected argument") {
      let word = message.split(separator: "'").dropFirst().first.map(String.init) ?? ""
      if let command = nearestName(to: word, among: commands) {
        return message + "; did you mean 'sim \(command)'?"
      }
    }
    return message
  }
}
