import Policies
import Testing

@Test func placeholder() {}
