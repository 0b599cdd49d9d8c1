/// The revision of the figures: raised whenever the same run gives other figures than before.
///
/// It is part of each run's ``LoadedExperiment/configurationHash``, so that a stored run is never taken for one of another
/// revision. Golden runs in the tests are recorded with it.
package enum Revision {
  /// The version that every run records.
  package static let program = "0.1.0"

  /// The revision of this program.
  ///
  /// 1. The first figures that are kept apart by revision.
  /// 2. Seeded draws of experts (`--draw-routing`) are named by instance, step and layer instead of taken from a stream, so
  ///    that asking for a price changes nothing. Other figures are as before.
  /// 3. Prices that hold. The power limit bounds the mean of an instance's steps and no longer each kernel, and lowers the
  ///    clock; matrix products have terms for waves that are not full and for rows timed at the limit; attention splits
  ///    long contexts; norms, rotary embedding, activation, all-reduces and host time belong to the engine; busy
  ///    multiprocessors draw power of their own.
  /// 4. Experts that are routed unevenly take longer, by the tables' own rows; the engine `paper` fitted anew.
  /// 5. One efficiency for all data-sheet rates, floors under attention that was not measured, MXFP8 activations on Blackwell,
  ///    and further times of the host in the draws of intervals. Clients without a rate have all requests ready at once.
  /// 6. Measured power and element-wise kernels on the H200, and its power limit on the H100; operations in 8 and 4 bits draw
  ///    less; indexers read whole contexts; expert ranks are estimates; recurrences and latent attention count verified
  ///    drafts. API servers tokenise one prompt after another, and a B200 has 183,359 MiB.
  /// 7. SGLang and TensorRT-LLM launch the kernels of prompts one by one, each at its time; SGLang captures graphs up to 512
  ///    sequences. Several instances with few clients, whose steps end at the same moment, take turns in the order of exact steps.
  /// 8. Means are sums that do not depend on the order in which instances report, and decode attention is linear in contexts
  ///    before it is added up: last digits changed.
  /// 9. Instances that have nothing left to do draw idle power until the last step of all. Prefix caches keep states of gated
  ///    DeltaNet, which took no memory before, and do so only if they are asked for.
  /// 10. Experts over several ranks take what the tables' rows of several ranks take beyond the busiest one's part.
  ///     A part of a run without requests has no rates and shares, Nemotron-H-56B has its published order of layers, and
  ///     waiting for other ranks is no longer part of the time that evidence is asked for.
  /// 11. Decode attention, experts and states of gated DeltaNet are read from memory where the tables' loops read them from the
  ///     cache. Prefill attention waits for its longest tile, and decode attention for the keys of a sequence where they are
  ///     not split. The engine `paper` fitted anew.
  /// 12. Graphs of SGLang and TensorRT-LLM hold decode alone: steps with prompts are not padded, and are launched kernel by
  ///     kernel. Tiles of MXFP4 experts take a time of their own beside that of their rows, and those with MXFP8 activations
  ///     grow as FlashInfer's do.
  /// 13. Launches of experts take what was measured of as many rows, or lie between two measurements. The busiest of
  ///     several ranks follows from the law of routing and from groups of experts, which balancers break up; what they leave
  ///     counts beside chance as any spread does. DeepSeek-V3's law is of its own, and a little popularity is a little skew.
  /// 14. Kernels that stream through memory and were not measured on a GPU have the launches and the shares of bandwidth that
  ///     were measured on an H200. All-reduces are those of each engine, and TensorRT-LLM's do the norm behind them. A part of
  ///     the time of an iteration is not hidden under vLLM 0.14 to 0.22, SGLang and TensorRT-LLM. MXFP4 experts may be
  ///     computed by Marlin's kernels, as InferenceX's servers on Hopper do; these have tiles that grow with the rows. In the
  ///     law of all shapes of experts, and where there is a data sheet alone, choices stream beside the products.
  ///     MXFP4 experts run by Marlin's kernels on GPUs before Hopper; their intervals hold that int4's rows price them.
  ///     No product whose sizes were not measured is shorter than the shortest that was.
  package static let results = 14
}
