import Foundation

/// A number rounded to a number of significant digits.
///
/// Calibrations keep six digits: far more than a fit knows, and few enough that differences in the last bits
/// between two machines' linear algebra do not show.
package func rounded(_ value: Double, digits: Int = 6) -> Double {
  Double(formatted(value, digits: digits)) ?? value
}

/// A number in decimal notation with a number of significant digits, without trailing zeros.
package func formatted(_ value: Double, digits: Int = 6) -> String { String(format: "%.\(digits)g", value) }
