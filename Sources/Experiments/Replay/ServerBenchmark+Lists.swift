import Serving
import Workloads

/// Results that hold a list for each figure, with an entry for each request: vLLM's and SGLang's.
extension ServerBenchmark {
  static func lists(_ fields: ServerBenchmarkFields) throws(ServerBenchmarkError) -> Content {
    let tool: Tool = fields.isOfSGLang ? .sglang : .vllm
    let prompts = try fields.counts("input_lens", atLeast: 1)
    let outputs = try fields.counts("output_lens", atLeast: 0)
    let firsts = try fields.seconds("ttfts")
    let gaps = try fields.gaps("itls")
    // SGLang's benchmark saves no start times, unless somebody added them.
    let isTimed = tool == .vllm || fields.has("start_times")
    let starts = isTimed ? try fields.seconds("start_times", mayBeNegative: true) : nil
    let errors = fields.texts("errors")
    let successes = fields.flags("successes") ?? fields.flags("success")
    let ends = fields.has("latencies") ? try fields.seconds("latencies") : nil
    for (name, count) in [
      ("output_lens", outputs.count), ("start_times", starts?.count ?? prompts.count),
      ("ttfts", firsts.count),
      ("itls", gaps.count), ("errors", errors?.count ?? prompts.count),
      ("successes", successes?.count ?? prompts.count), ("latencies", ends?.count ?? prompts.count),
    ] where count != prompts.count {
      throw .badEntry(
        file: fields.file, field: name, value: "\(count) entries long",
        expected: "\(prompts.count), as input_lens has")
    }
    var content = Content(tool: tool)
    content.model = fields.text("model_id")
    for i in prompts.indices {
      guard outputs[i] > 0, (errors?[i] ?? "").isEmpty, successes?[i] != false else {
        content.failures += 1
        continue
      }
      content.requests.append(
        ServerRequest(
          start: starts?[i], promptTokens: prompts[i], outputTokens: outputs[i], firstToken: firsts[i],
          gaps: gaps[i], endToEnd: ends?[i] ?? gaps[i].reduce(firsts[i], +)))
    }
    guard starts == nil else { return content }
    let rate = try fields.rate("request_rate")
    let burstiness = try fields.optionalNumber("burstiness", in: 1e-3...1e6) ?? 1
    content.arrivals =
      rate == .infinity
      ? .allAtOnce : burstiness == 1 ? .poisson(rate: rate) : .gamma(rate: rate, burstiness: burstiness)
    content.maxConcurrency = try fields.clients("max_concurrency")
    return content
  }
}
