import SimCore
import Testing

@Test func placeholder() {}
