"""The board's instruments, through NVML. What cannot be read is said once and reads as zero (or None) from then on."""

import collections
import threading
import time

POWER_INSTANT = 186  # NVML_FI_DEV_POWER_INSTANT
SM_CLOCK, MEMORY_CLOCK = 1, 2


class Board:
    """Clocks in MHz, power in W, the total-energy counter in mJ, temperature in degrees Celsius."""

    def __init__(self, log, dry, uuid=""):
        """`uuid`: of the GPU that PyTorch computes on; NVML numbers GPUs in another order."""
        self.log, self.dry, self.nvml, self.gpu = log, dry, None, None
        self.failures = collections.Counter()
        if dry:
            return
        try:
            import pynvml

            pynvml.nvmlInit()
            try:
                self.gpu = pynvml.nvmlDeviceGetHandleByUUID(uuid if uuid.startswith("GPU-") else f"GPU-{uuid}")
            except Exception:
                self.gpu = pynvml.nvmlDeviceGetHandleByIndex(0)
            self.nvml = pynvml
        except Exception as error:
            log(f"no NVML: {error}; no watts, no clocks", keep=True)

    def _read(self, name, function, default=0):
        if self.gpu is None or self.failures[name] > 4:
            return default
        try:
            return function()
        except Exception as error:
            self.failures[name] += 1
            if self.failures[name] in (1, 5):
                self.log(f"NVML cannot read {name}: {error}", keep=True)
            return default

    def millijoules(self):
        """The counter of all energy since the driver was loaded; it moves in steps. None where there is none."""
        if self.dry:
            return int(time.perf_counter() * 500) * 600  # steps of 2 ms at 300 W
        return self._read("energy", lambda: int(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.gpu)), None)

    def sm_mhz(self):
        return self._read("SM clock", lambda: int(self.nvml.nvmlDeviceGetClockInfo(self.gpu, SM_CLOCK)))

    def memory_mhz(self):
        return self._read("memory clock", lambda: int(self.nvml.nvmlDeviceGetClockInfo(self.gpu, MEMORY_CLOCK)))

    def most_mhz(self, clock):
        return self._read("highest clock", lambda: int(self.nvml.nvmlDeviceGetMaxClockInfo(self.gpu, clock)))

    def mean_watts(self):
        """Power as a mean over about a second."""
        return self._read("power", lambda: self.nvml.nvmlDeviceGetPowerUsage(self.gpu) / 1000)

    def watts(self):
        """Power now."""
        def field():
            value = self.nvml.nvmlDeviceGetFieldValues(self.gpu, [POWER_INSTANT])[0]
            if value.nvmlReturn != 0:
                raise RuntimeError(f"code {value.nvmlReturn}")
            return value.value.uiVal / 1000
        return self._read("instant power", field)

    def celsius(self):
        return self._read("temperature", lambda: int(self.nvml.nvmlDeviceGetTemperature(self.gpu, 0)))

    def reasons(self):
        """Why the clocks are lower than they could be, as NVML's bits (4: power cap)."""
        def bits():
            new = getattr(self.nvml, "nvmlDeviceGetCurrentClocksEventReasons", None)
            return int((new or self.nvml.nvmlDeviceGetCurrentClocksThrottleReasons)(self.gpu))
        return self._read("clock event reasons", bits)

    def limit_watts(self):
        return self._read("power limit", lambda: self.nvml.nvmlDeviceGetEnforcedPowerLimit(self.gpu) / 1000, 700.0)

    def driver(self):
        def version():
            value = self.nvml.nvmlSystemGetDriverVersion()
            return value.decode() if isinstance(value, bytes) else value
        return self._read("driver version", version, "none")


class Sampler(threading.Thread):
    """Reads the instruments every few milliseconds until stopped; its rows begin with the time of `time.perf_counter`."""

    def __init__(self, board, every=0.005):
        super().__init__(daemon=True)
        self.board, self.every, self.rows, self.done = board, every, [], threading.Event()

    def run(self):
        b = self.board
        while not self.done.is_set():
            t = time.perf_counter()
            self.rows.append((t, b.sm_mhz(), b.memory_mhz(), b.mean_watts(), b.watts(), b.millijoules(), b.celsius(), b.reasons()))
            self.done.wait(max(0.0005, self.every - (time.perf_counter() - t)))

    def stop(self):
        self.done.set()
        if self.ident is not None:  # it has been started
            self.join()
        return self.rows
