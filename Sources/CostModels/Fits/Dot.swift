/// The inner product of coefficients and features, summed in order: the same bits on every machine.
@inline(__always)
package func dot(_ a: SIMD8<Double>, _ b: SIMD8<Double>) -> Double {
  var sum = a[0] * b[0]
  for i in 1..<8 { sum += a[i] * b[i] }
  return sum
}
