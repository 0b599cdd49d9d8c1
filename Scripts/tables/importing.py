"""From the wheel's tables to the CSV files of one GPU and one engine."""

import re
from collections import Counter, defaultdict

from tables import selection as keep
from tables.archive import LICENCE, Microseconds, write
from tables.families import FAMILIES, grouped_tokens, where
from tables.physics import CACHES, impossible

# Where this share of a group's memory-bound rows is impossible, the others rest on the same wrong assumption.
GROUP_SHARE = 0.1
COMPLETE = 0.8
NCCL_OPERATIONS = {"all_reduce": "all_reduce", "all_gather": "all_gather", "reduce_scatter": "reduce_scatter",
                   "alltoall": "all_to_all"}


class Importer:
    """Writes the files of one GPU, and counts what it leaves out."""

    def __init__(self, archive, source, name, gpu, output):
        self.archive, self.source, self.name, self.gpu, self.output = archive, source, name, gpu, output
        self.device, self.left_out, self.routings = "", Counter(), set()
        self.bytes = 0

    def run(self):
        for lane in keep.LANES:
            files = defaultdict(lambda: ([], [], []))  # by name: rows, tables, families
            for family in FAMILIES:
                if lane in family.lanes:
                    self.read(family, lane, files[family.name])
            if lane == keep.LANES[0]:
                self.collectives(files)
            self.all_to_all(lane, files)
            for name, (rows, tables, families) in files.items():
                self.write(lane, name, rows, tables, families)
        self.figures()

    # Tables of kernels

    def read(self, family, lane, file):
        versions = self.archive.versions(self.gpu.system, family.folder, lane, family.table)
        frames = {}
        for version in versions:
            frame = self.archive.read(self.gpu.system, family.folder, lane, version, family.table)
            if "device" in frame and len(frame):
                self.device = self.device or frame["device"].iloc[0]
            count = len(frame)
            frame = self.sound(family, lane, version, frame)
            frame = family.select(frame, lane)
            self.left_out[lane, family.table, "not needed by the fits, or of other models"] += count - len(frame)
            if len(frame):
                frames[version] = frame
        rows, tables, families = file
        found = {}
        for version, frame in self.newest(family, lane, frames):
            path = f"{family.folder}/{lane}/{version}/{family.table}.parquet"
            tables.append((path, f"{lane} {version}"))
            for row, time in self.checked(family, lane, frame):
                if row not in found or time[0] < found[row][0]:
                    found[row] = time
        rows += [(*row, *time) for row, time in found.items()]
        if frames and family.name not in [known.name for known in families]:
            families.append(family)

    def sound(self, family, lane, version, frame):
        for table, framework, versions, form, reason in keep.UNSOUND:
            if table == family.unsound and framework == lane and version in versions:
                bad = (frame["gemm_dtype"] == form) if form else [True] * len(frame)
                self.left_out[lane, family.table, f"{version}: {reason}"] += int(sum(bad))
                frame = where(frame, [not b for b in bad])
        return frame

    def newest(self, family, lane, frames):
        """Of each group of rows, the newest version that measured it in full."""
        groups = {}
        counts = {}
        for version, frame in frames.items():
            columns = [c for c in family.groups if c in frame]
            key = frame[columns].astype(str).agg("/".join, axis=1)
            groups[version], counts[version] = key, key.value_counts().to_dict()
        most = Counter()
        for found in counts.values():
            for group, count in found.items():
                most[group] = max(most[group], count)
        chosen = {}
        for version in frames:  # newest first
            for group, count in counts[version].items():
                if group not in chosen and count >= COMPLETE * most[group]:
                    chosen[group] = version
        for version, frame in frames.items():
            mask = [chosen[group] == version for group in groups[version]]
            self.left_out[lane, family.table, "an older version of the same rows"] += len(mask) - sum(mask)
            if any(mask):
                yield version, where(frame, mask)

    def checked(self, family, lane, frame):
        """The rows that are possible, with their time and watts."""
        power = "power" in frame
        good, bounded, bad = defaultdict(list), Counter(), Counter()
        moe = family.name == "moe"
        grouped = grouped_tokens(frame, self.gpu) if moe else {}
        for r in frame.itertuples():
            row = family.row(r, grouped if moe else lane)
            if row is None:
                self.left_out[lane, family.table, "routing not known: few skewed choices over several ranks"] += 1
                continue
            moved, operations, rate = family.bounds(r, grouped) if moe else family.bounds(r)
            group = family.group(row) if family.group else None
            bounded[group] += moved > CACHES * self.gpu.l2
            problem = impossible(self.gpu, r.latency, moved, operations, rate)
            if problem:
                bad[group] += moved > CACHES * self.gpu.l2
                self.left_out[lane, family.table, problem] += 1
            else:
                watts = (f"{r.power:.4g}" if r.power > 0 else "",) if power else ()
                good[group].append((row, (Microseconds(r.latency), *watts)))
        for group, rows in good.items():
            if family.group and bad[group] > GROUP_SHARE * bounded[group]:
                self.left_out[lane, family.table, "of a group with many impossible rows: it moved less than it says"] += len(rows)
                continue
            for row, time in rows:
                if moe:
                    self.routings.add((row[7], row[8], row[4], row[3], row[6]))
                yield row, time

    # Communication

    def collectives(self, files):
        """NCCL's tables: all-reduce beside the engine's own, the others in a file of their own."""
        versions = self.archive.versions(self.gpu.system, "comm", "nccl", "nccl_perf")
        frames = {version: self.archive.read(self.gpu.system, "comm", "nccl", version, "nccl_perf") for version in versions}
        best = {}
        for version, frame in frames.items():  # newest first
            frame = frame[frame.nccl_dtype == "half"]
            for (operation, gpus), rows in frame.groupby(["op_name", "num_gpus"]):
                if operation in NCCL_OPERATIONS and ((operation, gpus) not in best or
                                                     len(best[operation, gpus][1]) < COMPLETE * len(rows)):
                    best[operation, gpus] = (version, rows)
        for (operation, gpus), (version, rows) in sorted(best.items()):
            name = "all_reduce" if operation == "all_reduce" else "collectives"
            out, tables, _ = files[name]
            source = (f"comm/nccl/{version}/nccl_perf.parquet", f"nccl {version}")
            if source not in tables:
                tables.append(source)
            for r in rows.itertuples():
                size = 2 * int(r.message_size)  # message_size counts elements of two bytes
                share = (gpus - 1) / gpus
                problem = impossible(self.gpu, r.latency)
                if not problem and size * share > 1.05 * self.gpu.link * r.latency / 1000 and size > CACHES * self.gpu.l2:
                    problem = "links faster than the data sheet's"
                if problem:
                    self.left_out["nccl", "nccl_perf", problem] += 1
                    continue
                head = ("nccl", int(gpus)) if operation == "all_reduce" else (NCCL_OPERATIONS[operation], "nccl", int(gpus))
                out.append((*head, size, Microseconds(r.latency)))

    def all_to_all(self, lane, files):
        """Dispatch and combine of expert parallelism: the engines' own tables, and SGLang's of DeepEP."""
        out, tables, _ = files["all_to_all"]
        for version in self.archive.versions(self.gpu.system, "comm", lane, "moe_a2a_perf")[:1]:
            frame = self.archive.read(self.gpu.system, "comm", lane, version, "moe_a2a_perf")
            tables.append((f"comm/{lane}/{version}/moe_a2a_perf.parquet", f"{lane} {version}"))
            for r in frame.itertuples():
                if r.hidden_size in keep.A2A_HIDDEN and r.num_tokens in keep.A2A_TOKENS and r.latency > 0:
                    backend = re.sub("^trtllm_", "", r.comm_backend)
                    form = keep.FORMATS.get(r.comm_dtype, "default")
                    out.append((backend, r.phase, form, int(r.ep_size), int(r.node_num), int(r.hidden_size), int(r.topk),
                                int(r.num_experts), int(r.num_tokens), int(r.sms), Microseconds(r.latency / 1000)))  # in us
        for mode in ["ll", "normal"]:
            table = f"wideep_deepep_{mode}_perf"
            for version in self.archive.versions(self.gpu.system, "comm", lane, table):
                frame = self.archive.read(self.gpu.system, "comm", lane, version, table)
                known = {row[:-1] for row in out}
                tables.append((f"comm/{lane}/{version}/{table}.parquet", f"{lane} {version}"))
                for r in frame.itertuples():
                    sms = int(getattr(r, "dispatch_sms", 0))
                    if not (r.hidden_size in keep.A2A_HIDDEN and sms in keep.A2A_SMS and r.num_token in keep.A2A_TOKENS
                            and r.num_topk in keep.A2A_TOP_K):
                        self.left_out[lane, table, "not needed by the fits, or of other models"] += 1
                        continue
                    for phase in ["dispatch", "combine"]:
                        time = (getattr(r, f"{phase}_avg_t_us") if mode == "ll"
                                else getattr(r, f"{phase}_transmit_us") + getattr(r, f"{phase}_notify_us"))
                        row = (f"deepep_{'ll' if mode == 'll' else 'ht'}", phase, "default", 8 * int(r.node_num), int(r.node_num),
                               int(r.hidden_size), int(r.num_topk), int(r.num_experts), int(r.num_token), sms)
                        if row not in known and time > 0:
                            out.append((*row, Microseconds(time / 1000)))

    COMMUNICATION = {
        "collectives": (["operation", "implementation", "gpus", "bytes"],
                        ["bytes are the table's message: the whole result of all_gather, the whole input of the others"]),
        "all_to_all": (["implementation", "phase", "dtype", "ep", "nodes", "hidden", "topk", "experts", "tokens", "sms"],
                       ["tokens are those of one rank; sms is 0 where the table does not say"]),
        "all_reduce": (["implementation", "gpus", "bytes"], []),
    }

    # Files

    def write(self, lane, name, rows, tables, families):
        if not rows:
            return
        if families:
            columns, notes = families[0].columns, [note for family in families for note in family.notes]
        else:
            columns, notes = self.COMMUNICATION[name]
        extra = ["latency_us"]
        if any(len(row) > len(columns) + 1 for row in rows):
            extra.append("watts")
            rows = [row if len(row) == len(columns) + 2 else (*row, "") for row in rows]
            notes = [*notes, "watts: mean power of the GPU while the kernel ran in a loop; its limit was 1000"]
        head = [("gpu", self.name), ("device", self.device), ("source", self.source), ("wheel_sha256", self.archive.digest)]
        for path, framework in dict.fromkeys(tables):
            head += [("table", path), ("framework", framework)]
        head += [("licence", LICENCE), *[("note", note) for note in notes]]
        rows = sorted(dict.fromkeys(rows), key=lambda row: tuple((isinstance(value, str), value) for value in row))
        size = write(self.output / self.name / f"aisimulate-0.13-{lane}" / f"{name}.csv", head, [*columns, *extra], rows)
        self.bytes += size
        print(f"{self.name}/{lane}/{name}: {len(rows)} rows, {size / 1000:.0f} kB", flush=True)

    def figures(self):
        """What the data sheet says of the GPU, and the wheel's guess of the memory's efficiency."""
        path = f"{self.gpu.system}.yaml"
        text = self.archive.text(path)
        efficiency = re.search(r"mem_bw_empirical_scaling_factor: ([0-9.]+)", text)[1]
        sheet = "data sheet; see hardware/ for sources"
        rows = [("multiprocessors", self.gpu.multiprocessors, "1", sheet),
                ("memory_bandwidth", f"{self.gpu.bandwidth:.10g}", "B/s", sheet),
                *[(f"{rate}_flops", f"{flops:.10g}", "FLOP/s", sheet) for rate, flops in sorted(self.gpu.flops.items())],
                ("link_bandwidth", f"{self.gpu.link:.10g}", "B/s", sheet),
                ("memory_efficiency", efficiency, "1", f"gpu.mem_bw_empirical_scaling_factor in {path}")]
        head = [("gpu", self.name), ("device", self.device), ("source", self.source), ("wheel_sha256", self.archive.digest),
                ("table", path), ("framework", "none"), ("licence", LICENCE)]
        self.bytes += write(self.output / self.name / f"aisimulate-0.13-{keep.LANES[0]}" / "device.csv", head,
                            ["quantity", "value", "unit", "source"], rows)
