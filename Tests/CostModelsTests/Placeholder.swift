import CostModels
import Testing

@Test func placeholder() {}
