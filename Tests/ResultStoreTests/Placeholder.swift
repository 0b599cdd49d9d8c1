import ResultStore
import Testing

@Test func placeholder() {}
