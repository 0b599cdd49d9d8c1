"""The tables and the log: eight files at most, flushed row by row, none above a size."""

import os
import time

#: Columns of the kernel tables: those of Profiles/harness/README.md, and what is known beside them.
KERNEL_COLUMNS = (
    "kernel,impl,model,dtype,tp,m,n,k,batch,q_len,kv_len,heads,kv_heads,head_dim,window,experts,active,topk,"
    "max_per_expert,skew,bytes,flops,burst_us,spread_us,sustained_us,watts,joules,sm_mhz,throttle,"
    "gpu,mhz_now,mem_mhz,temp_c,eager_us,host_us,note").split(",")
ITERATION_COLUMNS = (
    "kind,model,tp,decode_batch,decode_context,prefill_tokens,prefill_prefix,layer_begin,layer_end,layers,skew,"
    "experts,seconds,spread_s,sustained_s,watts,joules,sm_mhz,throttle,gpu,caches,temp_c,note").split(",")
_BURST = "gpu,label,m,n,k,before,burst_ms".split(",")

#: Each table's columns.
TABLES = {
    "kernels": KERNEL_COLUMNS,
    "kernels-other": KERNEL_COLUMNS,
    "iterations": ITERATION_COLUMNS,
    "host": "gpu,kind,decode_batch,decode_context,prefill_tokens,prefill_prefix,layers,host_s,host_us_per_layer,eager_s".split(","),
    "bursts": _BURST + "launch,launches,t_ms,us".split(","),
    "board": _BURST + "t_ms,sm_mhz,mem_mhz,power_w,instant_w,energy_mj,temp_c,throttle".split(","),
    "checks": "kernel,error,limit,ok,gpu".split(","),
}
FILES = [f"{name}.csv" for name in TABLES] + ["log.txt"]
#: A file that has reached this many bytes takes no more rows.
MOST_BYTES = 15 << 20


def text(value):
    """A value as a field: nothing for None, seven digits, no comma and no line break."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.7g}"
    return str(value).replace(",", ";").replace("\n", " ")


def open_whole(path, append):
    """Opens a file to write to; one that is appended to first loses a last line that a kill has torn."""
    if append and os.path.exists(path):
        with open(path, "rb+") as file:
            content = file.read()
            file.truncate(content.rfind(b"\n") + 1)
        return open(path, "a")
    return open(path, "w")


class Table:
    """A CSV file with `# key: value` lines, a header, and rows that are on disk as soon as they are added."""

    def __init__(self, path, columns, provenance, append):
        self.columns, self.count = columns, 0
        self.file = open_whole(path, append)
        self.size = self.file.tell()
        if self.size == 0:
            self._write("".join(f"# {key}: {value}\n" for key, value in provenance) + ",".join(columns) + "\n")

    def add(self, row):
        unknown = set(row) - set(self.columns)
        if unknown:
            raise ValueError(f"no column {sorted(unknown)[0]}")
        if self.size < MOST_BYTES:
            self._write(",".join(text(row.get(c)) for c in self.columns) + "\n")
            self.count += 1

    def _write(self, line):
        # One write to the file for each row, so that a kill leaves whole rows.
        self.file.write(line)
        self.file.flush()
        self.size += len(line)


class Output:
    """All tables of a run, and its log."""

    def __init__(self, folder, append):
        self.folder, self.append, self.began = folder, append, time.monotonic()
        self.log_file = open_whole(os.path.join(folder, "log.txt"), append)
        self.logged = self.log_file.tell()

    def open(self, provenance):
        """Opens the tables as attributes named after them."""
        for name, columns in TABLES.items():
            table = Table(os.path.join(self.folder, f"{name}.csv"), columns, provenance, self.append)
            setattr(self, name.replace("-", "_"), table)

    def log(self, line, keep=False):
        """Says something, with the seconds since the start; what is kept is repeated in the summary."""
        line = " ".join(line.splitlines()) if keep else line
        whole = f"{'* ' if keep else '  '}[{time.monotonic() - self.began:6.1f}] {line}\n"
        print(whole, end="", flush=True)
        if self.logged < MOST_BYTES:
            self.log_file.write(whole)
            self.log_file.flush()
            self.logged += len(whole)
