"""Measures, on one Hopper GPU and in minutes, what the simulator's cost models would otherwise guess.

`Scripts/measure-gpu` is the entry. The first three modules need no PyTorch; the rest run in a process of their own.

    command      the command line                   kernels      our own kernels, in Triton
    plan         what is measured, and how long     checks       every kernel against a double-precision reference
    supervisor   starts and watches the worker      bursts       short and long loads after idle and after copies
    worker       runs the steps in order            attention    chunks behind prefixes, decode steps
    run          what all steps share               watts        power under steady loads
    board        clocks, power, energy counter      elementwise  kernels between the products, fused and not
    timing       graphs, events, energy windows     experts      grouped products at real coverage
    output       tables and the log                 products     dense products; FP8; dequantising
    ahead        compiles the kernels for sm_90     decoder      a whole model with random weights
                                                    iterations   whole iterations of it
"""
