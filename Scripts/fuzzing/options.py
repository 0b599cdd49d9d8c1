"""Command lines with odd values, by what the program says of its own options."""

import json
import subprocess

from fuzzing.mutate import NUMBERS

PLAIN = ["", "x", "0", "1", "2", "3", "8", "100", "inf", "-inf", "nan", "a,b", "1,2", "1:3", "1:3:0", "3:1", "1:2:1e-9", "0:9:-1",
         "/dev/null", "/dev/zero", ".", "none.json", "all", "\u202e", "\x1b[31m", "a=b", "=", "[]", "{}", "x" * 5000, "-", "--",
         "1e-7", "0.999999", "1e6", "1000000"]
WORDS = {
    "trace": ["arxiv", "sharegpt", "mooncake"], "policy": ["chunked", "layered", "paced", "deadline", "shortest", "hybrid", "orca",
        "static", "vllm", "sglang", "trtllm", "chunked[budget=1]", "chunked[budget=", "layered[stages=0]", "layered[stages=9999]",
        "paced[tbt=0]", "paced[tbt=1e308]", "chunked,layered", "chunked[budget=9223372036854775807]"],
    "decode-policy": ["chunked", "layered"], "model": ["qwen3-8b", "gpt-oss-120b", "deepseek-v3", "qwen3-30b-a3b"],
    "hardware": ["h100", "l40s", "gb200"], "engine": ["vllm", "sglang", "trtllm", "ideal", "paper"],
    "router": ["kv", "prefix", "random", "kv[temperature=-1]", "kv[temperature=1e308]", "adaptive[interval=0]", "offload[tokens=0]",
               "selfish", "least-loaded[delay=0.05]", "kv[delay=nan]", "prefix[delay=1e-300]"],
    "kv-tiers": ["host-pcie5:1", "host-pcie5:0.001,nvme4:1e9:shared", "nvme4:-1", "eth100:1e308", "host-pcie5"],
    "prefill-sparsity": ["cacheblend", "cacheblend[ratio=0,suffix=1]", "cacheblend[bandwidth=0]", "uniprefill[kept=0.5]"],
    "method": ["vllm", "batchllm", "sorted,batchllm"], "remote-table": ["prfaas-h20"], "improve": ["5"],
    "disaggregation": ["prefill=1xTP2,decode=1xTP2", "prefill=0xTP2,decode=1xTP4", "prefill=999999xTP2,decode=1xTP4", "prefill=",
                       "prefill=1xTP1PP3,decode=1xTP2PP2"],
    "slo": ["ttft:1s", "tbt:0", "ttft:-1", "p99_ttft:1s", "p200_ttft:1s", "ttft:1s@95%", "ttft:1s@0%", "tpot:1e308"],
    "routing": ["uniform", "correlated[group_sigma=-1]", "correlated[group_sigma=1e9,request_sigma=0]", "coverage[1=1]",
                "coverage[512=1e9]", "measured[file=/dev/null]"],
    "cost-model": ["unit", "law[opt-13b-tp1]", "law[]", "law[/dev/null]"],
    "engine-set": ["host.per_iteration_ms=1e9", "host.outside_token_us=1e9", "host.per_iteration_ms=-1", "scheduling.x=1",
                   "kv.block_size=0", "kernel_scale.dense=1e9", "kernel_scale.dense=0"],
    "hardware-set": ["energy.idle_w=-1", "memory.bytes=1", "memory.bandwidth_bytes_per_s=1", "power.limit_w=1", "x=1"],
    "speculative-config": ["{}", "[]", '{"method": "ngram", "num_speculative_tokens": 3, "synthetic_acceptance_length": 9}',
                           '{"method": "ngram", "num_speculative_tokens": 1000000, "synthetic_acceptance_length": 2}',
                           '{"method": "eagle3", "num_speculative_tokens": 2, "synthetic_acceptance_rates": [0.1, 0.9]}'],
    "kv-link": ["eth25", "nvlink4"], "tensor-parallel-size": ["1", "2", "8", "1,2", "16384"],
    "pipeline-parallel-size": ["1", "2", "3", "1,2", "0", "1000000"], "pipeline-link": ["ndr400", "eth25", "x"],
    "num-prompts": ["1", "3", "1000000000"], "request-rate": ["1", "inf", "1e-6", "1e6", "0.5:1:0.5"],
    "log": ["kernels"], "format": ["json", "csv"],
}
# Folders and files of these would be written, and commands in lists of options run for ever.
WRITTEN = {"db", "output", "timeline", "result-dir", "result-filename", "steps-csv", "steps-to"}
LEFT_OUT = {"help", "version", "generate-completion-script"}
# Commands that answer at once for small runs, and what keeps them small.
SMALL = {
    "run": ["--num-prompts", "3", "--max-duration", "20"], "compare": ["chunked", "layered", "--num-prompts", "3", "--max-duration", "20"],
    "sweep": ["--num-prompts", "2", "--max-duration", "20", "--jobs", "1"], "query": [], "list": [], "export vllm": [],
    "export csv": [], "export timeline": [], "capacity": ["--num-prompts", "3", "--max-duration", "20"],
    "tune": ["--num-prompts", "3", "--max-duration", "20"], "plan": ["--num-prompts", "3", "--max-duration", "20"],
    "anarchy": ["--num-prompts", "3"], "batch": ["--num-prompts", "3", "--max-duration", "20"], "offload": [],
}
SHARES = {"run": 12, "sweep": 3, "compare": 2, "query": 2, "list": 1, "export vllm": 1, "export csv": 1, "export timeline": 1,
          "capacity": 1, "tune": 1, "plan": 1, "anarchy": 1, "batch": 1, "offload": 1}


class CommandLines:
    """Draws command lines; options are asked of the program."""

    def __init__(self, program):
        dump = subprocess.run([program, "--experimental-dump-help"], check=True, stdout=subprocess.PIPE).stdout
        self.options = {}
        self.walk(json.loads(dump)["command"], "")

    def walk(self, command, name):
        options = [argument for argument in command.get("arguments", []) if argument["kind"] in ("option", "flag")
                   and argument["preferredName"]["name"] not in LEFT_OUT]
        if name in SMALL:
            self.options[name] = options
        for child in command.get("subcommands", []):
            self.walk(child, f"{name} {child['commandName']}".strip())

    def draw(self, draw, database, folder):
        """Arguments of one command: a few options, most of them with values that fit somewhere."""
        names = [name for name in SHARES if name in self.options]
        name = draw.choices(names, [SHARES[name] for name in names])[0]
        arguments = name.split() + SMALL[name]
        has_database = False
        pool = self.options[name] or self.options["run"]
        if name == "sweep":
            pool = pool + self.options["run"]
        for option in draw.choices(pool, k=draw.choice([1, 1, 2, 3, 6])):
            key = option["preferredName"]["name"]
            flag = ("--" if option["preferredName"]["kind"] == "long" else "-") + key
            if key in ("num-prompts", "max-duration", "request-rate") and name in ("capacity", "tune", "plan", "compare"):
                continue
            arguments.append(flag)
            if option["kind"] == "option":
                arguments.append(self.value(draw, key, option, folder))
            has_database |= key in ("db", "no-db")
        if name == "plan":
            arguments += ["--request-rate", draw.choice(["1", "20"])]
        if name in ("query", "export csv") and draw.random() < .9:
            arguments.append(draw.choice(["runs", "kernels", "latency", "SELECT 1", "SELECT * FROM requests", "x", "", "requests",
                                          "SELECT randomblob(1e9)", "DROP TABLE runs", "SELECT 1; SELECT 2", ":run", "iterations"]))
        if name == "list":
            arguments.append(draw.choice(["models", "hardware", "engines", "policies", "routers", "traces", "figures", "studies"]))
        if name.startswith("export") and "--output" not in arguments and draw.random() < .8:
            arguments += ["--output", str(folder / "out")]
        if not has_database and name not in ("anarchy", "batch", "offload"):
            reads = name in ("query",) or name.startswith("export")
            arguments += ["--db", str(database if reads else folder / "new.sqlite")]
        return [argument.replace("\0", "") for argument in arguments]

    def value(self, draw, key, option, folder):
        if key in WRITTEN:
            return draw.choice([str(folder / "out"), str(folder / "none/out"), "/dev/full", "/dev/null", str(folder), ""])
        values = [WORDS.get(key, []), option.get("allValues") or [], PLAIN, NUMBERS]
        weights = [6 if values[0] else 0, 4 if values[1] else 0, 2, 3]
        return draw.choice(draw.choices(values, weights)[0])
