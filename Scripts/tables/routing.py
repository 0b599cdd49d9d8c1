"""The law by which the collector of NVIDIA's kernel tables routes tokens to experts, for what the tables do not say.

The collector is `collector/helper.py` of github.com/ai-dynamo/aiconfigurator; this is a rewrite of the law, not of the code.
"""

import functools
import heapq
import random

SEED, DRAWS = 20240817, 100
TILES = [16, 32, 64, 128]
# Balanced choices, one in each of 8 groups of experts, cut by DeepSeek's group-limited routing to the first 4 groups: 4 choices
# stay, 4 fall on favourites in these groups. An inference from times, which fit it within a few experts.
GROUPED = "balanced_4_of_8_groups"


def power_law_counts(tokens, experts, top_k, alpha, generator):
    """Draws how many tokens each expert receives, by the law that the tables' collector routes with.

    Popularities follow a truncated power law; counts are their rounded shares of the tokens * top_k choices, at
    most one choice of an expert a token. What rounding and the bound leave over goes to the least loaded
    experts, and what they add too much is taken from the most loaded ones.
    """
    low, high = (1.0, 0.8 * tokens) if tokens * top_k > experts else (0.01, 2.0)
    exponent = 1 - alpha
    popularity = [((high**exponent - low**exponent) * generator.random() + low**exponent) ** (1 / exponent)
                  for _ in range(experts)]
    scale = tokens * top_k / sum(popularity)
    counts = [min(round(p * scale), tokens) for p in popularity]
    missing = tokens * top_k - sum(counts)
    if missing > 0:
        heap = [(count, e) for e, count in enumerate(counts) if count < tokens]
        heapq.heapify(heap)
        for _ in range(missing):
            count, e = heapq.heappop(heap)
            counts[e] = count + 1
            if counts[e] < tokens:
                heapq.heappush(heap, (counts[e], e))
    elif missing < 0:
        heap = [(-count, e) for e, count in enumerate(counts)]
        heapq.heapify(heap)
        for _ in range(-missing):
            count, e = heapq.heappop(heap)
            counts[e] = -count - 1
            heapq.heappush(heap, (count + 1, e))
    return counts


@functools.cache
def draws(distribution, tokens, experts, top_k):
    """Token counts of all experts: one list if the law is even, else several drawn ones."""
    if distribution.startswith("balanced"):
        active = min(tokens * top_k, experts)
        if distribution == GROUPED:
            active = min(tokens * top_k // 2 + 4, experts // 2)
        return [[tokens * top_k // active + (e < tokens * top_k % active) for e in range(active)]]
    alpha = float(distribution.removeprefix("power_law_"))
    generator = random.Random(f"{SEED} {distribution} {tokens} {experts} {top_k}")
    return [power_law_counts(tokens, experts, top_k, alpha, generator) for _ in range(DRAWS)]


@functools.cache
def routing(distribution, tokens, experts, top_k):
    """Returns what a call's routing asks of the kernel, expected values: the distinct experts that it reads, and
    for each of TILES the tiles of so many tokens that hold every expert's tokens.

    `balanced` spreads its choices over as many experts as there are; the power laws are averaged over seeded
    draws, since the tables do not keep the ones that the collector made.
    """
    lists = draws(distribution, tokens, experts, top_k)
    active = sum(count > 0 for counts in lists for count in counts) / len(lists)
    tiles = [sum(-(-count // tile) for counts in lists for count in counts) / len(lists) for tile in TILES]
    return [f"{value:.8g}" for value in [active, *tiles]]


@functools.cache
def rank_routing(distribution, tokens, experts, top_k, ep):
    """The same of the rank that was measured, among `ep` that each hold so many neighbouring experts: the one with the most
    rows. Returns rows, distinct experts, and tiles.

    Balanced choices fall evenly on the ranks.
    """
    if distribution == "balanced":
        rows = -(-tokens * top_k // ep)
        active = min(rows, experts // ep)
        lists = [[rows // active + (e < rows % active) for e in range(active)]]
    else:
        size = experts // ep
        lists = [max((counts[at:at + size] for at in range(0, experts, size)), key=sum)
                 for counts in draws(distribution, tokens, experts, top_k)]
    rows = sum(map(sum, lists)) / len(lists)
    active = sum(count > 0 for counts in lists for count in counts) / len(lists)
    return [rows, active, *[sum(-(-count // tile) for counts in lists for count in counts) / len(lists) for tile in TILES]]
