import Support

/// Options of other tools that have no meaning here, and what to do instead.
enum ForeignOptions {
  private static let reasons = [
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
    "--tokenizer": "prompts are numbers of tokens here; leave it out",
    "--trust-remote-code": "only the model's config.json is read; leave it out",
    "--temperature": "tokens have no contents here; leave it out",
    "--top-p": "tokens have no contents here; leave it out",
    "--top-k": "tokens have no contents here; leave it out",
    "--swap-space": "a preempted request is computed again, as in vLLM today; leave it out",
    "--sharegpt-output-len": "outputs are as long as the trace says; --output-len makes lengths of your own",
    "--custom-output-len": "outputs are as long as the trace says; --output-len makes lengths of your own",
    "--hf-split": "a trace is a file: --trace FILE", "--hf-subset": "a trace is a file: --trace FILE",
    "--speculative-model": "speculation is one option, as in vLLM today: --speculative-config '{...}'",
    "--num-speculative-tokens": "speculation is one option, as in vLLM today: --speculative-config '{...}'",
    "--num-scheduler-steps": "vLLM has no such steps any more; --async-scheduling overlaps host and GPU",
    "--no-enable-chunked-prefill": "it is a policy: --policy orca takes whole prompts",
    "--load-format": "no weights are loaded; leave it out",
    "--served-model-name": "no server is asked; leave it out",
    "--api-key": "no server is asked; leave it out",
    "--disable-tqdm": "a progress bar is drawn on terminals only; leave it out",
    "--append-result": "every run is appended to the database; leave it out",
    "--distributed-executor-backend": "ranks are simulated; leave it out",
  ]

  /// What is wrong with a number that the parser does not take; `nil` if its message is of something else.
  private static func badNumber(_ message: String) -> String? {
    let words = message.split(separator: "'", omittingEmptySubsequences: false)
    guard words.count == 5, words[2] == " is invalid for ", words[0].hasSuffix("The value "),
      Double(words[1]) != nil, let option = words[3].split(separator: " ").first
    else { return nil }
    return "\(option) \(words[1]): expected \(CommandLineError.wholeNumber(String(words[1])))"
  }

  /// Arguments in which a negative number belongs to the option before it; the parser takes it for an option.
  static func withNegativeNumbers(_ arguments: [String]) -> [String] {
    var joined: [String] = []
    for argument in arguments {
      if let last = joined.last, last.hasPrefix("--"), last.count > 2, !last.contains("="),
        argument.hasPrefix("-"),
        Double(argument) != nil
      {
        joined[joined.count - 1] = "\(last)=\(argument)"
      } else {
        joined.append(argument)
      }
    }
    return joined
  }

  /// A parser's message with what is known about the option that it names, and with the nearest command.
  static func explained(_ message: String, commands: [String]) -> String {
    if message.contains("Unknown option '") {
      let option = message.split(separator: "'").dropFirst().first.map(String.init) ?? ""
      if let reason = reasons[option] { return "\(option): \(reason)" }
    }
    if let complaint = badNumber(message) { return complaint }
    if message.contains("nexpected argument") {
      let word = message.split(separator: "'").dropFirst().first.map(String.init) ?? ""
      if let command = nearestName(to: word, among: commands) {
        return message + "; did you mean 'sim \(command)'?"
      }
    }
    return message
  }
}
