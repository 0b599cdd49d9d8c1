"""Small whole files of the kinds that people bring."""

import json


def lines(records):
    return "\n".join(json.dumps(record) for record in records).encode() + b"\n"


def table(header, rows):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]).encode() + b"\n"


ROWS = [(0.25 * place, 300 + 700 * place % 4000, 3 + place) for place in range(8)]


def traces():
    """Traces of each format: name, ending, contents."""
    yield "vidur", "csv", table("arrived_at,num_prefill_tokens,num_decode_tokens", ROWS)
    yield "azure", "csv", table("TIMESTAMP,ContextTokens,GeneratedTokens",
                                [(f"2023-11-16 18:01:{10 + time:08.5f}", prompt, output) for time, prompt, output in ROWS])
    yield "burstgpt", "csv", table("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
                                   [(time, "ChatGPT", prompt, output, prompt + output, "API") for time, prompt, output in ROWS])
    yield "lengths", "csv", table("prompt_len,output_len,created_at_ms",
                                  [(prompt, output, int(time * 1000)) for time, prompt, output in ROWS])
    mooncake = [{"timestamp": int(time * 1000), "input_length": prompt, "output_length": output,
                 "hash_ids": list(range(-(-prompt // 512)))} for time, prompt, output in ROWS]
    yield "mooncake", "jsonl", lines(mooncake)
    yield "array", "json", json.dumps(mooncake).encode()
    yield "bailian", "jsonl", lines(
        {"chat_id": place, "parent_chat_id": -1, "timestamp": time, "input_length": prompt // 10, "output_length": output,
         "type": "text", "turn": 1, "hash_ids": list(range(-(-(prompt // 10) // 16)))}
        for place, (time, prompt, output) in enumerate(ROWS))
    yield "llmservingsim", "jsonl", lines({"input_toks": prompt, "output_toks": output, "arrival_time_ns": int(time * 1e9)}
                                          for time, prompt, output in ROWS)
    yield "apex", "jsonl", lines({"StartTimeOffset": int(time * 1e9), "ContextTokens": prompt, "GeneratedTokens": output}
                                 for time, prompt, output in ROWS)


def server_results():
    """Results of each benchmark client: name, ending, contents."""
    count = len(ROWS)
    vllm = {"model_id": "Qwen/Qwen3-30B-A3B", "request_throughput": 1.0, "input_lens": [row[1] for row in ROWS],
            "output_lens": [row[2] for row in ROWS], "ttfts": [0.1 + 0.01 * place for place in range(count)],
            "itls": [[0.01] * (row[2] - 1) for row in ROWS], "start_times": [1000 + row[0] for row in ROWS],
            "errors": [""] * count}
    yield "vllm", "json", json.dumps(vllm).encode()
    sglang = {key: value for key, value in vllm.items() if key not in ("start_times", "model_id")}
    sglang |= {"backend": "sglang", "request_rate": 2.0, "burstiness": 1.0, "max_concurrency": 7, "mean_e2e_latency_ms": 1.0,
               "successes": [True] * count}
    yield "sglang", "jsonl", lines([sglang])
    yield "aiperf", "jsonl", lines(
        {"metadata": {"request_start_ns": int(time * 1e9), "benchmark_phase": "profiling", "was_cancelled": False},
         "metrics": {"input_sequence_length": {"value": prompt, "unit": "tokens"},
                     "output_sequence_length": {"value": output, "unit": "tokens"},
                     "time_to_first_token": {"value": 100.0, "unit": "ms"}, "request_latency": {"value": 0.4, "unit": "s"},
                     "inter_chunk_latency": {"value": [10.0] * (output - 1), "unit": "ms"}}, "error": None}
        for time, prompt, output in ROWS)
    yield "inference-perf", "json", json.dumps(
        [{"start_time": 5.0 + time, "end_time": 9.0 + time, "error": None,
          "info": {"input_tokens": prompt, "output_tokens": output,
                   "output_token_times": [5.5 + time + 0.01 * place for place in range(output)]}}
         for time, prompt, output in ROWS]).encode()
    yield "guidellm", "json", json.dumps({"benchmarks": [{"requests": {"successful": [
        {"request_start_time": time, "prompt_tokens": prompt, "output_tokens": output, "time_to_first_token_ms": 100.0,
         "inter_token_latency_ms": 10.0, "request_latency": 0.3} for time, prompt, output in ROWS],
        "errored": [], "incomplete": []}}]}).encode()
    yield "llmservingsim", "csv", table(
        "instance id,request id,model,input,output,arrival,end_time,latency,queuing_delay,TTFT,TPOT,ITL",
        [(0, place, "m", prompt, output, int(time * 1e9), 0, 400000000, 0, 100000000, 0,
          '"[' + ", ".join(["10000000"] * (output - 1)) + ']"') for place, (time, prompt, output) in enumerate(ROWS)])


def server_table(root):
    """A table of a measured server, and the model beside it: the command is given their folder."""
    given = (root / "Results/published/servers/given.csv").read_text().splitlines()
    row = next(line for line in given if line.startswith("gpt-oss-120b/") and "/c4," in line)
    model = "models/gpt-oss-120b.mxfp4.json"
    beside = {model: (root / "Results/published/servers" / model).read_bytes()}
    return "s.csv", f"{given[0]}\n{row}\n".encode(), beside


def schedule(root):
    """A recorded schedule: the name of its settings, their contents, and its tables."""
    name = "tight-sync-0"
    files = {path.name: path.read_bytes() for path in sorted((root / "Tests/ExperimentsTests/Schedules").glob(f"{name}.*"))}
    settings = f"{name}.json"
    return settings, files.pop(settings), files
