"""Which rows of the tables are kept: those that the models of this project and the fits need, thinned."""

LANES = ["vllm", "sglang", "trtllm"]
# The first lane of each GPU is kept in full; the others on fewer points, since they fill gaps and show differences.
FORMATS = {"bfloat16": "bf16", "fp8": "fp8", "fp8_block": "fp8_block", "nvfp4": "nvfp4", "w4a16_mxfp4": "mxfp4",
           "w4a8_mxfp4_mxfp8": "mxfp4_mxfp8", "int4_wo": "int4", "int8_wo": "int8", "sq": "int8_w8a8"}

# (table, framework, versions, format): what is not a kernel's time, and why. None: all formats.
HOST_TIME = "host time was measured: small shapes take many times what other engines' tables say"
UNSOUND = [
    ("gemm", "vllm", ("0.24.0", "0.27.1"), "fp8_block", HOST_TIME),
    ("mla_module", "vllm", ("0.24.0",), None, HOST_TIME),
]

GEMM_N = [128, 256, 512, 1024, 1536, 2048, 3072, 4096, 5120, 7168, 8192, 12288, 16384, 51200, 65536]
GEMM_K = [512, 1024, 1536, 2048, 3072, 4096, 5120, 7168, 8192, 12288, 16384, 51200]
GEMM_M = [1, 4, 8, 16, 32, 33, 64, 96, 128, 192, 256, 257, 512, 768, 1024, 2048, 4096, 8192, 16384, 32768]
GEMM_M_OTHER = [1, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 16384]
GEMM_N_OTHER = [256, 1024, 2048, 4096, 7168, 8192, 16384, 65536]
GEMM_K_OTHER = [1024, 2048, 4096, 5120, 7168, 8192, 16384]
# 16-bit products are cuBLAS in every engine: the other lanes leave them out, unless their watts were read.
GEMM_FORMATS_OTHER = [name for name in FORMATS if name != "bfloat16"]

# (hidden, intermediate, top-k, experts) of the model, and whether the other lanes keep it too.
MOE_LAYERS = {
    (2048, 768, 8, 128): True,      # Qwen3-30B-A3B
    (4096, 1536, 8, 128): True,     # Qwen3-235B-A22B
    (6144, 2560, 8, 160): False,    # Qwen3-Coder-480B-A35B
    (2048, 512, 8, 256): False,     # Qwen3.5-35B-A3B
    (3072, 1024, 8, 256): False,    # Qwen3.5-122B-A10B
    (4096, 1024, 10, 512): True,    # Qwen3.5-397B-A17B
    (2880, 2880, 4, 32): True,      # gpt-oss-20b
    (2880, 2880, 4, 128): True,     # gpt-oss-120b
    (7168, 2048, 8, 256): True,     # DeepSeek-V3, R1
    (7168, 2048, 8, 384): True,     # Kimi-K2, K2.5
    (6144, 2048, 8, 256): True,     # GLM-5
    (3072, 1536, 8, 256): True,     # MiniMax-M2, M2.5
    (5120, 8192, 1, 16): False,     # Llama-4 Scout
    (5120, 8192, 1, 128): False,    # Llama-4 Maverick
    (4096, 14336, 2, 8): False,     # Mixtral-8x7B
    (6144, 16384, 2, 8): False,     # Mixtral-8x22B
    (2688, 1856, 6, 128): False,    # Nemotron-3-Nano: no gate
    (1024, 2688, 22, 512): False,   # Nemotron-3-Super: no gate, latent width 1024
    (2816, 704, 8, 128): False,     # Gemma-4-26B-A4B
    (4096, 2048, 8, 256): False,    # MiMo-V2-Flash
    (4096, 1280, 8, 288): False,    # Step-3.7
}
UNGATED = {(2688, 1856, 6, 128), (1024, 2688, 22, 512)}
# Some versions of engines measured it with DeepSeek's group-limited routing where one rank holds all experts.
GROUP_LIMITED = (7168, 2048, 8, 256)
# Kernels whose rows imply fewer experts than their routing says.
MOE_KERNELS_LEFT_OUT = ["moe_torch_flow_min_latency"]
MOE_LAYOUTS = [(1, 1), (2, 1), (4, 1), (8, 1), (1, 4), (1, 8), (1, 32)]
MOE_LAYOUTS_OTHER = [(1, 1), (2, 1), (4, 1), (8, 1), (1, 4), (1, 8)]
# Expert parallelism is kept with its skew where the busiest of many ranks is another matter.
MOE_SKEWED_EP = [1, 8, 32]
MOE_TOKENS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]
MOE_TOKENS_OTHER = [1, 8, 16, 64, 128, 256, 512, 1024, 2048, 4096, 16384]
MOE_TOKENS_SKEWED = [1, 8, 16, 64, 128, 256, 1024, 4096, 16384]
DISTRIBUTIONS = ["balanced", "power_law_1.2"]

# Heads and KV heads on one GPU by (head dimension, window); None keeps all that were measured.
HEADS = {
    (128, 0): {(2, 1), (4, 1), (5, 1), (6, 1), (8, 1), (16, 1), (4, 2), (8, 2), (10, 2), (12, 2), (16, 2), (24, 2), (32, 2), (8, 4),
               (16, 4), (20, 4), (24, 4), (32, 4), (48, 4), (64, 4), (8, 8), (16, 8), (32, 8), (40, 8), (48, 8), (64, 8),
               (96, 8), (16, 16)},
    (64, 0): {(8, 1), (8, 2), (16, 2), (16, 4), (32, 4), (32, 8), (64, 8)},
    (64, 128): {(8, 1), (16, 2), (32, 4), (64, 8)},
    (128, 512): None, (128, 2048): None, (128, 8192): None, (192, 0): None, (192, 128): None, (256, 0): None,
    (256, 1024): None, (512, 0): None,
}
HEADS_OTHER = {(128, 0): {(4, 1), (8, 1), (8, 2), (16, 2), (16, 4), (32, 4), (32, 8), (64, 8)},
               (64, 0): {(16, 2), (32, 4), (64, 8)}, (64, 128): {(16, 2), (32, 4), (64, 8)}, (256, 0): {(4, 1), (8, 1), (16, 2)}}
PREFILL = {"batch": [1, 2, 4, 8, 32], "length": [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]}
PREFILL_OTHER = {"batch": [1, 4, 16], "length": [64, 256, 512, 1024, 2048, 4096, 8192, 16384]}
DECODE = {"batch": [1, 2, 4, 8, 16, 32, 64, 128, 256, 512], "length": [127, 1023, 2047, 4095, 8191, 32767, 131071]}
DECODE_OTHER = {"batch": [1, 4, 16, 64, 256], "length": [127, 1023, 4095, 8191, 16383, 32767, 131071]}

MLA_HEADS = [4, 8, 16, 32, 64, 128]
MLA_FORMATS = [("bfloat16", "bfloat16"), ("bfloat16", "fp8_block"), ("fp8", "fp8_block"), ("fp8", "nvfp4")]
MLA_PREFILL = {"batch": [1, 2, 4, 8, 16], "length": [16, 64, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768]}
MLA_DECODE = {"batch": [1, 4, 8, 16, 32, 64, 128, 256, 512], "length": [128, 1024, 2048, 4096, 8192, 16384, 32768, 131072]}
DSA_MODELS = {"deepseek-ai/DeepSeek-V3.2": "deepseek-v3.2", "zai-org/GLM-5": "glm-5", "zai-org/GLM-5-FP8": "glm-5",
              "zai-org/GLM-5.2": "glm-5", "zai-org/GLM-5.2-FP8": "glm-5"}
DSA_HEADS = [8, 16, 64, 128]
DSA_DECODE = {"batch": [1, 4, 16, 64, 256], "length": [1024, 2048, 4096, 16384, 65536, 131072]}

GDN_DECODE_BATCH = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
GDN_DECODE_BATCH_OTHER = [1, 4, 16, 64, 256, 1024]
GDN_PREFILL = {"batch": [1, 2, 4, 8, 32], "length": [64, 256, 1024, 4096, 8192, 16384, 32768]}
GDN_PREFILL_OTHER = {"batch": [1, 4, 32], "length": [256, 2048, 8192, 32768]}
A2A_HIDDEN = [4096, 7168]
A2A_SMS = [0, 24, 64]
A2A_TOP_K = [6, 8]
A2A_TOKENS = [1, 16, 64, 128, 512, 1024, 4096, 16384, 32768]

def kept(list_of_first, list_of_other, lane):
    """The fuller selection for the first lane."""
    return list_of_first if lane == LANES[0] else list_of_other
