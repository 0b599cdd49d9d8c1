import Glibc
import Systems

extension Calibration {
  /// The fit of a kernel.
  ///
  /// A lookup never fails: a shape that was not measured gets the nearest thing there is, and its `quality` says so.
  ///
  /// - Parameter shape: What is fixed for the kernel; its type names the family.
  /// - Returns: The fit, as slow or fast as the draw of ``perturbed(seed:draw:)`` has it.
  /// - Complexity: O(s) for s measured shapes.
  public func fit<Shape: KernelShape>(_ shape: Shape) -> Fit<Shape.Family> {
    drawn(Shape.Family.find(shape, in: self), as: shape)
  }

  /// The fit to measurements of this very shape, if there are any.
  func exact<Shape: KernelShape>(_ shape: Shape) -> Fit<Shape.Family>? {
    shapes(of: shape.kernel, shape.type).first { $0.dimensions == shape.dimensions }
      .map { fit(shape, $0, .measured, $0.heldOut) }
  }

  /// A shape with the coefficients of a fit; only where they were measured for it are its ranges.
  func fit<Shape: KernelShape>(
    _ shape: Shape, _ fitted: FittedShape, _ quality: Quality, _ errors: ErrorSummary?
  ) -> Fit<Shape.Family> {
    let ranges = quality == .measured ? MeasuredRanges(fitted.ranges) : .nothing
    return Fit(
      shape, coefficients: fitted.vector, quality: quality, measured: ranges, heldOut: errors,
      corrections: quality == .measured ? fitted.corrections : nil, device: figures)
  }

  /// A shape with other coefficients.
  func fit<Shape: KernelShape>(
    _ shape: Shape, _ coefficients: SIMD8<Double>, _ quality: Quality, _ errors: ErrorSummary? = nil
  ) -> Fit<Shape.Family> {
    Fit(shape, coefficients: coefficients, quality: quality, heldOut: errors, device: figures)
  }

  /// The fit of the most similar shape: the least sum of weighted distances on the logarithm.
  func nearest<Shape: KernelShape>(to shape: Shape, weights: [Double]) -> Fit<Shape.Family>? {
    func distance(_ fitted: FittedShape) -> Double {
      zip(zip(fitted.dimensions, shape.dimensions), weights).reduce(0) { sum, term in
        let ((measured, wanted), weight) = term
        return sum + weight * log(Double(max(1, measured)) / Double(max(1, wanted))).magnitude
      }
    }
    return shapes(of: shape.kernel, shape.type).min { distance($0) < distance($1) }
      .map { fit(shape, $0, .neighbours, nil) }
  }
}

extension Calibration {
  /// This calibration with the kernels of another one that it lacks: other kinds, or other number formats.
  ///
  /// What this one has stays as it is: shapes of a format that both have are not mixed.
  ///
  /// - Parameter other: Fits of the same GPU.
  /// - Returns: Both.
  public func adding(_ other: Calibration) -> Calibration {
    var result = Calibration(
      gpu: gpu, device: device, source: "\(source) + \(other.source)",
      figures: DeviceFigures(
        multiprocessors: figures.multiprocessors, memoryBandwidth: figures.memoryBandwidth,
        memoryEfficiency: figures.memoryEfficiency, bf16FLOPs: figures.bf16FLOPs, fp8FLOPs: figures.fp8FLOPs,
        fp4FLOPs: figures.fp4FLOPs ?? other.figures.fp4FLOPs,
        int8FLOPs: figures.int8FLOPs ?? other.figures.int8FLOPs, l2Bytes: figures.l2Bytes),
      files: files + other.files.filter { !files.contains($0) },
      kernels: kernels + other.missing(in: self).kernels, energy: energy ?? other.energy)
    result.perturbation = perturbation
    result.hasEnginesKernels = hasEnginesKernels
    return result
  }

  /// The kernels that another calibration lacks, in their formats.
  package func missing(in other: Calibration) -> Calibration {
    // All-reduces of one GPU are those of one collector.
    let sums = other.kernels.filter { $0.kernel == "all_reduce" }.isEmpty ? [] : ["all_reduce"]
    let known = Set(other.kernels.map { [$0.kernel, $0.type] })
    return Calibration(
      gpu: gpu, device: device, source: source, figures: figures, files: files,
      kernels: kernels.filter { !known.contains([$0.kernel, $0.type]) && !sums.contains($0.kernel) })
  }

  /// Whether there are fits of a number format, of any kind of kernel.
  public func knows(_ format: WeightFormat) -> Bool {
    kernels.contains { $0.type == format.measuredAs.rawValue && !$0.shapes.isEmpty }
  }
}
