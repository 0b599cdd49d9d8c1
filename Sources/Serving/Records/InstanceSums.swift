/// Sums over iterations, kept by instance.
///
/// Instances report out of step, and more so where they leap. Sums by instance, added up in the order of their numbers,
/// come out the same to the last bit however the reports interleave.
struct InstanceSums: Sendable {
  /// What the iterations of one instance add up to.
  struct Sums: Sendable {
    var seconds: Seconds = 0
    var joules: Joules = 0
    var expertBytes = 0.0
  }

  /// The sums by instance; those of ``instance`` are in ``current``.
  private var all = [Sums()]
  private var instance: Int32 = 0
  private var current = Sums()

  /// Adds an iteration.
  @inline(__always)
  mutating func add(_ iteration: IterationRecord) {
    if iteration.instance != instance { turn(to: iteration.instance) }
    current.seconds += iteration.end - iteration.start
    current.joules += iteration.joules
    current.expertBytes += iteration.expertBytes
  }

  /// Adds successive iterations of one instance.
  @inline(__always)
  mutating func add(_ iterations: Span<IterationRecord>) {
    if iterations[0].instance != instance { turn(to: iterations[0].instance) }
    var sums = current
    for i in iterations.indices {
      sums.seconds += iterations[i].end - iterations[i].start
      sums.joules += iterations[i].joules
      sums.expertBytes += iterations[i].expertBytes
    }
    current = sums
  }

  /// Goes on with another instance.
  private mutating func turn(to next: Int32) {
    all[Int(instance)] = current
    instance = next
    while all.count <= Int(next) { all.append(Sums()) }
    current = all[Int(next)]
  }

  /// A sum over all instances.
  func total(_ sum: KeyPath<Sums, Double>) -> Double {
    all.indices.reduce(0) { $0 + ($1 == Int(instance) ? current : all[$1])[keyPath: sum] }
  }
}
