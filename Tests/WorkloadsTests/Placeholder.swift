import Testing
import Workloads

@Test func placeholder() {}
