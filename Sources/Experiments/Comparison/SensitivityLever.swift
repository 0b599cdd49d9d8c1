import CostModels
import Policies
import Systems

/// Something that may be different on another system, and decide which policy wins.
package enum SensitivityLever: String, CaseIterable, Sendable {
  /// What the host takes beyond the usual for an iteration whose prefill passes some layers only.
  case hostPerStage = "host.partial_depth_ms"
  /// How long the experts' kernels take, as a factor.
  case expertKernels = "kernel_scale.expert_mlp"
  /// The tokens of an iteration, for a policy of chunks.
  case chunkBudget = "budget"

  /// What it is, for the eye.
  package var title: String {
    switch self {
    case .hostPerStage: "host time per layered step"
    case .expertKernels: "time factor of expert kernels"
    case .chunkBudget: "chunk budget"
    }
  }

  /// The unit, with a space before it; empty for a factor.
  package var unit: String {
    switch self {
    case .hostPerStage: " ms"
    case .expertKernels: ""
    case .chunkBudget: " tokens"
    }
  }

  /// How steps are halved.
  package var scale: CrossingSearch.Scale {
    switch self {
    case .hostPerStage: .linear(0.01)
    case .expertKernels: .geometric(0.02)
    case .chunkBudget: .whole(0.03)
    }
  }

  /// Values ever farther below the present one.
  package func below(_ present: Double) -> [Double] {
    switch self {
    case .hostPerStage: present > 0 ? [present / 2, 0] : []
    case .expertKernels: [present / 2, present / 4, present / 8]
    case .chunkBudget: (1...20).map { (present / Double(1 << $0)).rounded() }.filter { $0 >= 64 }
    }
  }

  /// Values ever farther above it.
  package func above(_ present: Double) -> [Double] {
    switch self {
    case .hostPerStage: (-2...5).map { present + Double(sign: .plus, exponent: $0, significand: 1) }
    case .expertKernels: [present * 2, present * 4, present * 8]
    case .chunkBudget: (1...20).map { present * Double(1 << $0) }.filter { $0 <= 32768 }
    }
  }

  /// Whether a policy's run depends on it.
  package func concerns(_ experiment: LoadedExperiment, partialDepth: Bool) -> Bool {
    switch self {
    case .hostPerStage: partialDepth
    case .expertKernels: experiment.loaded.routing != nil
    case .chunkBudget: experiment.policy.cutsPrompts
    }
  }

  /// Its present value.
  package func value(in experiment: LoadedExperiment) -> Double {
    switch self {
    case .hostPerStage: experiment.loaded.system.engine.host.partialDepthMilliseconds
    case .expertKernels: experiment.loaded.system.engine.kernelScale.expertMLP
    case .chunkBudget: Double(experiment.policy.batchedTokens)
    }
  }

  /// Gives it another value.
  package func set(_ value: Double, in experiment: inout Experiment, policy: Policy) {
    switch self {
    case .hostPerStage, .expertKernels: experiment.system.engineSettings[rawValue] = .number(value)
    case .chunkBudget: experiment.policy?.parameters[policy.entry.batchedTokens] = .number(value)
    }
  }
}
