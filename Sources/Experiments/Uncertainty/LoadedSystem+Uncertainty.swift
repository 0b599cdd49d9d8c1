import CostModels
import Systems

extension LoadedSystem {
  /// The system in one of the worlds that what is known leaves possible.
  ///
  /// Kernels, host time, energy and expert routing are drawn; memory, padding and the model are as they are. A
  /// factor depends on the seed, the draw and what it is a factor of: systems that differ in policy, traffic or
  /// number of GPUs see the same world in the same draw, so that differences between them can be taken draw by
  /// draw.
  package func perturbed(seed: UInt64, draw: Int) throws(DescriptionError) -> LoadedSystem {
    let shard = system.shard
    let drawn = try ServedSystem(
      model: shard.model,
      hardware: system.hardware.perturbed(seed: seed, draw: draw, energy: calibration.energy),
      engine: system.engine.perturbed(seed: seed, draw: draw), tensorParallel: shard.gpus,
      expertParallel: shard.expertRanks, dataParallel: shard.dataParallel, exchange: system.exchange)
    var law = routing
    if let routing {
      let model = routing.perturbedModel(seed: seed, draw: draw)
      if model != routing.model { law = try ExpertRouting(model, for: shard.model) }
    }
    let hasEnginesKernels = system.engine.kernelScale.isOfMeasured
    return LoadedSystem(
      system: drawn,
      calibration: calibration.perturbed(seed: seed, draw: draw, hasEnginesKernels: hasEnginesKernels),
      calibrationDigest: calibrationDigest, routing: law, drafter: try drafter?.beside(drawn),
      draftCalibration: draftCalibration?.perturbed(
        seed: seed, draw: draw, hasEnginesKernels: hasEnginesKernels),
      pipeline: try pipeline?.cutting(drawn, routing: law))
  }
}
