/// What a kernel used in one iteration; its name is a rank among the names of the run, so that the row is
/// plain bytes.
struct KernelRow {
  var kernel: Int32
  var instance: Int32
  var iteration: Int64
  var calls: Int
  var extrapolatedCalls: Int
  var seconds: Double
  var joules: Double
  var flops: Double
  var bytes: Double
}
