import Policies
import Serving
import Synchronization
import Testing

/// Images are encoded once, in the step in which their prompt begins.
@Suite struct ImagesTests {
  /// Takes a second a step, and notes how many images each is told of.
  private final class ImageCost: CostModel {
    let layers = 8
    var slidingWindow: Tokens? { nil }
    var idleWatts: Double { 0 }
    let images = Mutex<[Int]>([])

    func price(_ load: borrowing StepLoad, into cost: inout StepCost, ledger: inout KernelLedger) {
      let count = load.images
      images.withLock { $0.append(count) }
      cost.kernelSeconds = 1
    }
    func price(_ run: inout DecodeRun) { priceOneByOne(&run) }
    func count(_ run: borrowing DecodeRun, steps: Range<Int>, ledger: inout KernelLedger) {}
    func kernels(in ledger: borrowing KernelLedger) -> [KernelUse] { [] }
    func takeStepKernels(from ledger: inout KernelLedger) -> [KernelUse] { [] }
  }

  private func images(_ scheduler: any Scheduler, encodes: Bool = true) throws -> [Int] {
    let cost = ImageCost()
    let requests = [(0.0, 700, 2), (0.0, 100, 0), (0.5, 300, 3)].enumerated().map {
      var request = Request(id: $0.offset, arrival: $0.element.0, promptTokens: $0.element.1, outputTokens: 3)
      request.images = $0.element.2
      return request
    }
    var configuration = InstanceConfiguration(
      scheduler: scheduler, costModel: cost, memory: KVMemory(blocks: 1000, blockSize: 16))
    configuration.encodesImages = encodes
    _ = try PoliciesTests.run([configuration], requests)
    return cost.images.withLock { $0.filter { $0 > 0 } }
  }

  @Test func eachPromptsImagesAreEncodedWhereItBegins() throws {
    #expect(try images(ChunkedPrefill(budget: 256, decodesCount: true)) == [2, 3])
    #expect(try images(LayeredPrefill(cohort: 8192, stages: 4)) == [2, 3])
    #expect(try images(ChunkedPrefill(budget: 256, decodesCount: true), encodes: false).isEmpty)
  }
}
