import Systems

extension Calibration {
  /// The source of a calibration that rests on a data sheet alone.
  static let dataSheet = "data sheet"

  /// Whether nothing was measured: every kernel is priced by data-sheet rates.
  public var isOfDataSheet: Bool { source == Self.dataSheet }

  /// What a data sheet says of a GPU of which no kernel was measured.
  ///
  /// Kernels stream at 80 % of the bandwidth and compute at the share of the rate that ``DeviceFigures`` takes for all
  /// kernels without measurements; a launch takes a few microseconds at least. All-reduces pass a ring over the links, in 8 us at
  /// least and at 80 % of the links' bandwidth: an estimate between the fits of two to eight GPUs under `Profiles/calibrations`,
  /// whose constants are 4 to 8 us for engines' own kernels inside a node with NVLink and 6 to 27 us for NCCL. Fits
  /// found here have the quality ``Quality/dataSheet``, whose spread enters the intervals.
  ///
  /// - Parameter hardware: the GPU.
  public init(dataSheetOf hardware: HardwareDescription) {
    func rate(_ flops: Double) -> Double? { flops > 0 ? flops : nil }
    let rings = [2, 4, 8, 16].map { gpus in
      FittedShape(
        dimensions: [gpus],
        values: [
          8e-6, 2 * Double(gpus - 1) / Double(gpus) / (0.8 * hardware.nvlinkBandwidth), 0, 0, 0, 0, 0,
        ],
        rows: 0, heldOut: nil, measured: [])
    }
    // Of one number of bytes the coefficients of NCCL and of one-shot kernels are the same; both have a law beyond.
    let beyond = rings.map { ring in
      var values = ring.values
      (values[3], values[5]) = (values[1], values[1])
      return FittedShape(
        dimensions: ring.dimensions, values: values, rows: 0, heldOut: nil, measured: [])
    }
    let kernels = [AllReduce.Implementation.custom, .nccl].map { implementation in
      FittedKernel(
        kernel: "all_reduce", type: implementation.rawValue, formula: "t0 + bytes * b", quality: .dataSheet,
        source: Self.dataSheet, dimensions: ["gpus"], coefficients: AllReduce.coefficients,
        ranges: AllReduce.ranges, heldOut: nil, bar: nil, shapes: beyond)
    }
    self.init(
      gpu: hardware.name, device: hardware.name, source: Self.dataSheet,
      figures: DeviceFigures(
        multiprocessors: hardware.multiprocessors, memoryBandwidth: hardware.memoryBandwidth,
        memoryEfficiency: 0.8, bf16FLOPs: hardware.bf16Flops,
        fp8FLOPs: rate(hardware.fp8Flops) ?? hardware.bf16Flops,
        fp4FLOPs: rate(hardware.fp4Flops), int8FLOPs: rate(hardware.int8Flops),
        l2Bytes: rate(Double(hardware.l2Bytes))),
      files: [], kernels: kernels)
  }

  /// The least time of a kernel of which no launch was measured, and no similar kernel's on the GPU.
  ///
  /// The shortest launches of the nine measured GPUs take 2 to 6 us, and 15 to 40 us for the several kernels of an experts'
  /// layer.
  func launch(ofExperts: Bool = false) -> Double { ofExperts ? 25e-6 : 4e-6 }
}
