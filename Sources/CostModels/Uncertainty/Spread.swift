import Systems

/// How far off things of one kind tend to be: standard deviations of the logarithm of true over assumed value.
enum Spread {
  /// Fits carried over to heads or numbers of GPUs that were not measured, where no held-out error tells.
  static let carriedOver = 0.15
  /// Estimates and data-sheet rates: nine of ten lie between 0.61 and 1.64 times what they are taken for.
  static let estimate = 0.3
  /// Assumptions, such as that kernels are tuned: within a twelfth, nine times out of ten.
  ///
  /// A judgement, set after a look at the servers of `Scripts/check-intervals`, which therefore say nothing about it.
  static let assumption = 0.05
  /// Estimated energies: nine of ten lie within the third that their sources claim.
  static let estimatedEnergy = 0.2
  /// What the power limit does, until it is measured: as sure as any estimate.
  static let power = estimate
  /// Values of a descriptor that were fitted to published results: within a sixth, nine times out of ten.
  static let fitted = 0.1
  /// Values of a descriptor that were measured, but on another machine.
  static let measured = 0.05

  // Kernels of SGLang and TensorRT-LLM beside vLLM's, on an H100 and an H200: the root mean square of the logarithms of the
  // medians over shapes that `sim calibrate --compare aisimulate-0.13-vllm aisimulate-0.13-sglang` (and `-trtllm`) prints.
  // The values rest on these tables alone. That there is one for each family, and not one for all (0.13), was decided after
  // a look at `Scripts/check-intervals`: one for all made intervals too wide.

  /// Attention without a window, BF16 and FP8, prefill and decode: 14 medians.
  static let enginesAttention = 0.16
  /// Experts in BF16 and block-scaled FP8: 8 medians.
  static let enginesExperts = 0.05
  /// Products in FP8, by tensor and by block: 8 medians.
  static let enginesNarrowProducts = 0.12
  /// Products in 16 bits: cuBLAS measured by ourselves beside vLLM's table.
  static let enginesProducts = 0.02

  /// Marlin's experts in MXFP4 beside what int4's fits say of them, on top of the fits' own errors.
  ///
  /// vLLM's tables of the L40S and RTX PRO 6000 have such rows, which no fit of int4 has seen: their errors from 16 to 4,096
  /// tokens are 8 and 10 % in the median, a spread of 0.13, of which the fits' own errors explain 0.06.
  static let marlinFormats = 0.11

  /// The spread of a fit to a kernel's time.
  ///
  /// The error of a shape is systematic: it does not average out over launches, so that what counts is how far off
  /// the form of the fit is on rows that it has not seen, and not how sure its coefficients are. For normal errors
  /// the standard deviation is 1.4826 times their median magnitude.
  static func ofFit(_ quality: Quality, _ heldOut: ErrorSummary?) -> Double {
    switch quality {
    case .measured, .neighbours, .allShapes, .fitted: heldOut.map(of) ?? carriedOver
    case .dataSheet, .estimate, .sourceCode, .assumption, .user: estimate
    }
  }

  /// The spread that goes with errors on held-out rows.
  static func of(_ errors: ErrorSummary) -> Double { 1.4826 * errors.median / 100 }

  /// The spread of a descriptor's value; 0 for what is known.
  static func of(_ quality: Quality?) -> Double {
    switch quality {
    case .estimate: estimate
    case .fitted: fitted
    case .measured: measured
    case .neighbours, .allShapes: carriedOver
    case .assumption: assumption
    case .dataSheet, .sourceCode, .user, nil: 0
    }
  }
}
