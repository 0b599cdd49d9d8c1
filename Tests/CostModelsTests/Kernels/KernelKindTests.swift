import Testing

@testable import CostModels

@Suite struct KernelKindTests {
  /// A kernel's number, which is read off its value, is its place in the list.
  @Test func kernelsAreNumberedInTheirOrder() {
    #expect(KernelKind.allCases.map(\.index) == Array(KernelKind.allCases.indices))
    #expect(KernelKind.allCases.count > 30)
  }
}
