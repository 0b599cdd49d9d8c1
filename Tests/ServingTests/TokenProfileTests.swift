import Testing

@testable import Serving

/// Rows and work of prompts that thin out, in closed forms.
@Suite struct TokenProfileTests {
  private func rows(
    _ profile: TokenProfile, tokens: Range<Tokens>, prompt: Tokens? = nil, images: Tokens = 0,
    missing: [Int32] = [], layers: Int = 32
  ) -> TileRows {
    var lacking = InlineArray<16, Int32>(repeating: 0)
    for (drop, entries) in missing.enumerated() { lacking[drop] = entries }
    return TileRows(
      Tile(sequence: Slot(0), tokens: tokens, layers: 0..<layers), profile, missing: lacking,
      prompt: prompt ?? tokens.upperBound, images: images)
  }

  private func uniform(_ share: Double, _ layers: [Int] = [7, 11, 15, 19, 23, 27]) -> TokenProfile {
    TokenProfile(drops: layers.map { .init(layer: $0, kept: .share(KeptShare(share))) })
  }

  // MARK: Rows

  /// Llama-3.1-8B's six drops of 32,768 rows at 0.7: whole blocks of 64.
  @Test func sharesCompose() {
    let rows = rows(uniform(0.7), tokens: 0..<32_768)
    let blocks = (0...6).map { Int(rows.rows[$0]) / 64 }
    #expect(blocks == [512, 358, 251, 176, 123, 86, 60])
  }

  @Test(arguments: [300, 512, 1000, 8192, 8193, 8255, 40_000]) func rowsNeverGrow(tokens: Tokens) {
    for share in [0, 0.1, 0.5, 0.9, 0.99] {
      let rows = rows(uniform(share), tokens: 0..<tokens)
      for drop in 1...6 {
        #expect(rows.rows[drop] <= rows.rows[drop - 1] && rows.rows[drop] >= min(256, Int32(tokens)))
      }
    }
  }

  /// The first 128 and the last 128 stay, in whole blocks: a last block of 40 rows needs two more.
  @Test func theEndsStay() {
    #expect(rows(uniform(0), tokens: 0..<8192).rows[1] == 256)
    #expect(rows(uniform(0), tokens: 0..<8192 + 40).rows[1] == 128 + 128 + 40)
  }

  @Test func shortChunksAreKeptWhole() {
    let short = rows(uniform(0.5), tokens: 0..<256)
    #expect(short.isPlain && !short.isDropped && short.rows[6] == 256)
    #expect(rows(uniform(0.5), tokens: 0..<257).isDropped)
  }

  /// Keys of a chunk are what earlier chunks have left in that layer.
  @Test func prefixesAreOfSurvivors() {
    let rows = rows(uniform(0.5), tokens: 1024..<1100, prompt: 2000, missing: [500, 600, 700, 700, 700, 700])
    #expect(rows.prefix[0] == 1024 && rows.prefix[1] == 524 && rows.prefix[2] == 424 && rows.prefix[6] == 324)
    #expect(!rows.isPlain && !rows.isDropped)
  }

  @Test func sharesMayDependOnLength() {
    let share = KeptShare([.init(tokens: 8192, share: 0.9), .init(tokens: 32_768, share: 0.7)])
    #expect(share(100) == 0.9 && share(8192) == 0.9 && share(32_768) == 0.7 && share(1 << 20) == 0.7)
    #expect((share(20_480) - 0.8).magnitude < 1e-12)
    #expect(!KeptShare.areSound([.init(tokens: 8, share: 0.9), .init(tokens: 8, share: 0.7)]))
    #expect(!KeptShare.areSound([.init(tokens: 8, share: 1.1)]))
    #expect(!KeptShare.areSound([]))
  }

  // MARK: Sums

  /// Rows x layers and pairs of the staircase: each layer by itself.
  @Test(arguments: [0..<32, 0..<8, 7..<8, 5..<20, 28..<32]) func areasAreSumsOverLayers(layers: Range<Int>) {
    let profile = uniform(0.7)
    let tile = Tile(sequence: Slot(0), tokens: 0..<8192, layers: layers)
    let rows = rows(profile, tokens: 0..<8192)
    var (area, pairs) = (0.0, 0.0)
    for layer in layers {
      let number = profile.drops.count { $0.layer < layer }
      let alive = Double(rows.rows[number])
      let behind = profile.drops.contains { $0.layer == layer } ? Double(rows.rows[number + 1]) : alive
      area += (alive + behind) / 2
      pairs += alive * (alive + 1) / 2
    }
    #expect(rows.area(tile, profile) == area)
    #expect(rows.attended(tile, profile) == pairs)
  }

  @Test func entriesAreThoseOfAttention() {
    let profile = uniform(0.5, [1])
    let rows = rows(profile, tokens: 0..<1024, layers: 4)
    #expect(rows.entries(through: 4, of: 4, profile) == 2 * 1024 + 2 * 512)
    #expect(rows.entries(through: 2, of: 4, profile) == 2 * 1024)
  }

  /// FLOPs of Llama-3.1-8B whose drops keep a share of rows: how much faster that is at most.
  ///
  /// 436 MFLOP a row and layer for its products, and 4 x 32 x 128 a pair.
  @Test(arguments: [
    (0.9, 8192, 1.34), (0.9, 32_768, 1.40), (0.9, 131_072, 1.49), (0.8, 8192, 1.72), (0.8, 32_768, 1.83),
    (0.8, 131_072, 2.01), (0.7, 8192, 2.13), (0.7, 32_768, 2.27), (0.7, 131_072, 2.49),
  ])
  func boundsOfUniPrefill(share: Double, tokens: Int, bound: Double) {
    func flops(_ profile: TokenProfile) -> Double {
      let rows = rows(profile, tokens: 0..<tokens)
      var sum = 0.0
      for layer in 0..<32 {
        let number = profile.drops.count { $0.layer < layer }
        let alive = Double(rows.rows[number])
        let isDrop = profile.drops.contains { $0.layer == layer }
        let behind = isDrop ? Double(rows.rows[number + 1]) : alive
        sum += alive * 2 * Double(4096 * (4096 + 2048) + 4096 * 4096) + behind * 2 * 3 * 4096 * 14_336
        sum += 4 * 32 * 128 * alive * (alive + 1) / 2
      }
      return sum
    }
    let ratio = flops(TokenProfile()) / flops(uniform(share))
    #expect((ratio / bound - 1).magnitude < 0.02, "\(ratio)")
  }

  /// AdaptInfer's nominal budgets of 128, 64, 48 and 32 are 146, 83, 67 and 51 image tokens in the mean over the layers.
  @Test(arguments: [
    ([290, 72, 18], 146, 0.348, 0.353), ([133, 27, 3], 83, 0.253, 0.257), ([80, 24, 2], 67, 0.229, 0.233),
    ([40, 12, 0], 51, 0.206, 0.209),
  ])
  func budgetsOfAdaptInfer(kept: [Int], mean: Int, flops: Double, entries: Double) {
    let profile = TokenProfile(
      drops: zip([1, 10, 20], kept).map { .init(layer: $0, kept: .images($1, of: 576)) },
      place: .behindLayer, scoring: .probabilities, block: 1)
    let tile = Tile(sequence: Slot(0), tokens: 0..<664, layers: 0..<32)
    let rows = rows(profile, tokens: 0..<664, images: 576)
    #expect(rows.isDropped)
    let area = rows.area(tile, profile)
    #expect(Int(((area - 32 * 88) / 32).rounded()) == mean)
    #expect((area / (32 * 664) - entries).magnitude < 6e-4)
    // LLaVA-1.5-7B: multiply-adds of a layer with n rows.
    func work(_ n: Double) -> Double { 4 * n * 4096 * 4096 + 2 * n * n * 4096 + 3 * n * 4096 * 11_008 }
    let sum = (0..<32).reduce(0.0) { $0 + work(Double(rows.rows[profile.classOf(layer: $1)])) }
    #expect((sum / (32 * work(664)) - flops).magnitude < 6e-4)
  }

  /// A prompt that is cut is not pruned: its text does not see all of its image.
  @Test func imagesOfCutPromptsStay() {
    let profile = TokenProfile(
      drops: [.init(layer: 1, kept: .images(64, of: 576))], place: .behindLayer, block: 1)
    #expect(rows(profile, tokens: 0..<600, prompt: 664, images: 576).isPlain)
    #expect(rows(profile, tokens: 0..<664, images: 0).isPlain)
    #expect(rows(profile, tokens: 0..<664, images: 576).rows[1] == 88 + 64)
  }

  // MARK: Keys

  @Test(arguments: [(100, 0), (100, 50), (1, 500), (700, 3), (64, 64)]) func pairsOfFewKeys(
    tokens: Int, prefix: Int
  ) {
    let selection = KeySelection(keys: 64, block: 1, indexWidth: 1)
    let segment = PrefillSegment(tokens: tokens, prefix: prefix)
    let wanted = (1...tokens).reduce(0) { $0 + min(64, prefix + $1) }
    #expect(selection.pairs(segment) == Double(wanted))
    #expect(selection.cuts(segment) == (tokens + prefix > 64))
  }
}
