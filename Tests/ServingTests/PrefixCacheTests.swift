import Statistics
import Testing

@testable import Serving

@Suite struct PrefixCacheTests {
  /// Random lengths come without any content: their blocks are nobody else's.
  @Test(arguments: [0, 1, 3]) func withoutContentNothingIsShared(contentCount: Int) {
    var contents = PromptContents()
    for source in 0..<contentCount { _ = contents.append([.init(begin: 0, source: source)], length: 100) }
    let request = Request(id: 5, arrival: 0, promptTokens: 100, outputTokens: 10)
    var names = contents.names(of: request, group: 0, blockSize: 16)
    for block in 0..<6 { #expect(names.shared(block, in: contents) == nil) }
  }

  /// Prompts that begin alike, and a list of contents from which the first is lost: what the cache should find.
  @Test(arguments: 0..<60) func itFindsWhatAListOfContentsFinds(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed), purpose: "prefix cache")
    func pick(_ range: ClosedRange<Int>) -> Int {
      range.lowerBound + Int(random.uniform() * Double(range.count))
    }
    let blockSize = [1, 4, 16][pick(0...2)]
    let capacity = pick(4...60)
    var contents = PromptContents()
    var requests: [Request] = []
    var names: [[Int]] = []
    for id in 0..<200 {
      let length = pick(1...capacity * blockSize)
      // A block's content is that of its tree: which of a few branches it takes at some block.
      let (branch, at) = (pick(0...5), pick(0...max(1, capacity / 2)))
      let begin = at * blockSize
      var request = Request(id: id, arrival: 0, promptTokens: length, outputTokens: 1)
      request.content = contents.append(
        at == 0
          ? [.init(begin: 0, source: 100_000 + branch)]
          : [.init(begin: 0, source: 0), .init(begin: begin, source: 1 + at * 10 + branch)], length: length)
      requests.append(request)
      names.append((0..<length / blockSize).map { $0 < at ? $0 : ($0 + 1) * 10_000 + at * 10 + branch })
    }
    let memory = KVMemory(blocks: capacity, blockSize: blockSize)
    let sum = PrefixCache.blocksFound(by: requests, in: contents, memory: memory)
    // Contents by when they were entered; of two equal ones the older is found.
    var list: [(name: Int, serial: Int)] = []
    var (found, serial) = (0, 0)
    for (request, blocks) in zip(requests, names) {
      let most = (request.promptTokens - 1) / blockSize
      let hits = blocks.prefix(most).prefix { name in list.contains { $0.name == name } }
      found += hits.count
      var held: [(name: Int, serial: Int)] = []
      for hit in hits {
        let places = list.indices.filter { list[$0].name == hit }
        guard let place = places.min(by: { list[$0].serial < list[$1].serial }) else { continue }
        held.append(list.remove(at: place))
      }
      // What is not found is computed anew, even if it is there.
      list.removeFirst(max(0, list.count + blocks.count - capacity))
      for block in blocks.dropFirst(hits.count) {
        held.append((block, serial))
        serial += 1
      }
      list += held.reversed()
    }
    #expect(sum.found == found)
    #expect(sum.asked == names.reduce(0) { $0 + $1.count })
  }

  @Test func anEndlessCacheFindsAtLeastAsMuch() {
    var contents = PromptContents()
    let requests = (0..<40).map { id in
      var request = Request(id: id, arrival: 0, promptTokens: 64 + id % 7 * 16, outputTokens: 1)
      request.content = contents.append([.init(begin: 0, source: id % 3)], length: request.promptTokens)
      return request
    }
    let few = PrefixCache.blocksFound(
      by: requests, in: contents, memory: KVMemory(blocks: 12, blockSize: 16))
    let many = PrefixCache.blocksFound(
      by: requests, in: contents, memory: KVMemory(blocks: 1000, blockSize: 16))
    #expect(few.found < many.found)
    #expect(few.asked == many.asked)
  }

  /// Contents 0 and 1 begin alike; 2 and 3 are the same again, of other tokens.
  @Test func eachLapHasTokensOfItsOwn() {
    var contents = PromptContents()
    for end in [1, 2] {
      _ = contents.append([.init(begin: 0, source: 0), .init(begin: 32, source: end)], length: 64)
    }
    func found(_ numbers: [Int32]) -> Int {
      let requests = numbers.enumerated().map { id, content in
        var request = Request(id: id, arrival: 0, promptTokens: 64, outputTokens: 1)
        request.content = content
        return request
      }
      return PrefixCache.blocksFound(
        by: requests, in: contents, memory: KVMemory(blocks: 1000, blockSize: 16)
      ).found
    }
    #expect(found([0, 1]) == 2 && found([2, 3]) == 2 && found([0, 1, 0]) == 5)
    #expect(found([0, 1, 2, 3]) == 4 && found([0, 1, 2, 3, 2]) == 7)
  }

  @Test func namesAreFoundUntilTheyAreRemoved() {
    var table = NameTable()
    for name in 1...1000 { table.set(UInt64(name) << 20, to: Int32(name)) }
    for name in stride(from: 1, through: 1000, by: 2) { table.remove(UInt64(name) << 20) }
    for name in 1...1000 { #expect(table[UInt64(name) << 20] == (name % 2 == 0 ? Int32(name) : -1)) }
    #expect(table.count == 500)
  }
}
