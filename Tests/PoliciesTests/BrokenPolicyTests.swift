import Serving
import Support
import Testing

/// A policy that does what a test says in its first iterations, and nothing afterwards.
private struct Scripted: Scheduler {
  typealias Act = @Sendable (InstanceView, inout StepPlan) -> Void
  let acts: [Act]
  var iteration = 0

  init(_ acts: Act...) { self.acts = acts }

  mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    if iteration < acts.count { acts[iteration](view, &plan) }
    iteration += 1
  }
}

/// A tile of the first prompt.
private func tile(_ tokens: Range<Int>, _ layers: Range<Int>, prompt: Int = 0) -> Tile {
  Tile(sequence: Slot(prompt), tokens: tokens, layers: layers)
}

/// Admits the next prompt, and plans tiles.
private func admit(_ tiles: Tile...) -> Scripted.Act {
  { view, plan in
    _ = plan.admitNext(view)
    for tile in tiles { plan.append(tile) }
  }
}

/// Plans tiles.
private func then(_ tiles: Tile...) -> Scripted.Act {
  { _, plan in for tile in tiles { plan.append(tile) } }
}

/// A policy that breaks the rules is told what it did, where, and what was due; nothing crashes.
@Suite struct BrokenPolicyTests {
  /// Runs one request with a prompt of 10 tokens through 8 layers, and returns the error's line.
  private func complaint(_ policy: Scripted) throws -> String {
    do {
      _ = try run(policy, [(0, 10, 2)])
      return "no complaint"
    } catch let error as SimulationError {
      #expect(error.exitStatus == .software)
      return error.description
    }
  }

  @Test func tokensAreNotSkipped() throws {
    let line = try complaint(Scripted(admit(tile(0..<4, 0..<8)), then(tile(5..<10, 0..<8))))
    #expect(
      line == "the policy planned tokens 5..<10, layers 0..<8 of prompt 0 in iteration 1, but it is due at "
        + "token 4, layer 0")
  }

  @Test func tokensAreNotRepeated() throws {
    let line = try complaint(Scripted(admit(tile(0..<4, 0..<8)), then(tile(0..<4, 0..<8))))
    #expect(line.hasSuffix("but it is due at token 4, layer 0"))
  }

  @Test func layersAreNotRepeated() throws {
    let line = try complaint(Scripted(admit(tile(0..<10, 0..<4)), then(tile(0..<10, 0..<4))))
    #expect(line.hasSuffix("but it is due at token 0, layer 4"))
  }

  @Test func layersAreNotSkipped() throws {
    let line = try complaint(Scripted(admit(tile(0..<10, 0..<4)), then(tile(0..<10, 5..<8))))
    #expect(line.hasSuffix("but it is due at token 0, layer 4"))
  }

  @Test func aTileDoesNotOverlapAnotherOfTheSameIteration() throws {
    let line = try complaint(Scripted(admit(tile(0..<10, 0..<4), tile(0..<10, 3..<8))))
    #expect(line.hasSuffix("but it is due at token 0, layer 4"))
  }

  @Test func tokensDoNotChangeInMidPass() throws {
    let fewer = try complaint(Scripted(admit(tile(0..<10, 0..<4)), then(tile(0..<5, 4..<8))))
    #expect(fewer.hasSuffix("but the tokens under way end at 10"))
    let more = try complaint(Scripted(admit(tile(0..<5, 0..<4)), then(tile(0..<10, 4..<8))))
    #expect(more.hasSuffix("but the tokens under way end at 5"))
  }

  @Test func aPromptIsAdmittedFirst() throws {
    let line = try complaint(Scripted(then(tile(0..<10, 0..<8))))
    #expect(line.hasSuffix("but no such prompt is admitted and unfinished"))
  }

  @Test func aPromptExists() throws {
    for prompt in [-1, 1, Int(Int32.max), Int(Int32.min)] {
      let line = try complaint(Scripted(admit(tile(0..<10, 0..<8, prompt: prompt))))
      #expect(line.hasSuffix("but no such prompt is admitted and unfinished"))
    }
  }

  @Test func aPromptIsNotComputedTwice() throws {
    let line = try complaint(Scripted(admit(tile(0..<10, 0..<8), tile(0..<10, 0..<8))))
    #expect(line.hasSuffix("but no such prompt is admitted and unfinished"))
  }

  @Test func aTileEndsWithItsPrompt() throws {
    let line = try complaint(Scripted(admit(tile(0..<11, 0..<8))))
    #expect(line.hasSuffix("but the prompt has 10 tokens"))
  }

  @Test func aTileEndsWithTheModel() throws {
    let line = try complaint(Scripted(admit(tile(0..<10, 0..<9))))
    #expect(line.hasSuffix("but a tile has at least one token and one of the model's 8 layers"))
  }

  @Test(arguments: [tile(0..<0, 0..<8), tile(0..<10, 0..<0), tile(-5 ..< -5, 0..<8), tile(10..<10, 0..<8)])
  func aTileIsNotEmpty(_ empty: Tile) throws {
    let line = try complaint(Scripted(admit(empty)))
    #expect(line.hasSuffix("but a tile has at least one token and one of the model's 8 layers"))
  }

  @Test(arguments: [tile(-1..<10, 0..<8), tile(0..<10, -1..<8)])
  func aTileDoesNotBeginBeforeTheFirst(_ early: Tile) throws {
    let line = try complaint(Scripted(admit(early)))
    #expect(line.hasSuffix("but it is due at token 0, layer 0"))
  }

  @Test func whoWaitsIsNotForgotten() throws {
    let line = try complaint(Scripted())
    #expect(line == "the policy planned nothing at 0.0 s although 1 request is unfinished and nothing runs")
  }

  @Test func aPromptUnderWayIsNotForgotten() throws {
    let line = try complaint(Scripted(admit(tile(0..<10, 0..<4))))
    #expect(line == "the policy planned nothing at 0.01 s although 1 request is unfinished and nothing runs")
  }

  @Test func decodersAreNotForgotten() throws {
    let stalled = #expect(throws: SimulationError.self) {
      try run(
        Scripted(admit(tile(0..<10, 0..<8)), admit(tile(0..<10, 0..<8, prompt: 1))), [(0, 10, 2), (0, 10, 2)])
    }
    #expect(stalled == .stalled(at: 0.02, unfinished: 2))
  }

  /// A policy may ask for less than is possible: tiles of a single token and layer, and decode steps now and then.
  @Test func aSlowPolicyIsNotABrokenOne() throws {
    struct Slow: Scheduler {
      var beat = 0
      mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
        beat += 1
        if view.prefillingCount == 0 { _ = plan.admitNext(view) }
        if plan.promptCount(view) > 0 {
          let prompt = plan.prompt(0, view)
          let layer = (beat - 1) % view.layers
          plan.prefill(prompt, tokens: prompt.done..<prompt.done + 1, layers: layer..<layer + 1)
        } else {
          plan.decode(view, atMost: 1)
        }
      }
    }
    let history = try run(Slow(), [(0, 3, 2)])
    #expect(history.iterations.map(\.layerBegin) == [0, 1, 2, 3, 4, 5, 6, 7].repeated(3) + [0])
    #expect(history.requests.map(\.status) == [.completed])
  }
}

extension Array {
  fileprivate func repeated(_ times: Int) -> Array { (0..<times).flatMap { _ in self } }
}
