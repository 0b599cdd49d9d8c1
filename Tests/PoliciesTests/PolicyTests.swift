import Policies
import Serving
import Support
import Testing

@Suite struct PolicyTests {
  /// The line that a text is refused with.
  func complaint(_ text: String) -> String {
    do {
      let policy = try Policy(text)
      return "understood as \(policy)"
    } catch {
      #expect(error.exitStatus == .usage)
      return error.description
    }
  }

  @Test(arguments: [
    "layered", "layered[stages=8,cohort=4096]", "layered[stages=8,cohort=4096,groups=paper]",
    "chunked[budget=512,decodes=free]", "hybrid[chunk=2048,stages=4]", "orca[budget=1]", "static[batch=32]",
  ])
  func aNameDescribesItself(text: String) throws {
    let description = try Policy(text).description
    #expect(description == text)
  }

  /// Parameters are told in the catalog's order; one that is given twice is refused.
  @Test func descriptionsAreInOneOrder() throws {
    let description = try Policy("layered[cohort=8192,stages=4]").description
    #expect(description == "layered[stages=4,cohort=8192]")
    let twice = "layered[cohort=4096,stages=4,cohort=8192]"
    #expect(throws: PolicyError.twice("cohort", policy: twice)) { try Policy(twice) }
  }

  @Test func aliasesAreUnderstood() throws {
    let names = try ["chunked-prefill", "layered-prefill[stages=2]"].map { try Policy($0).description }
    #expect(names == ["chunked", "layered[stages=2]"])
  }

  @Test func aParameterCanBeSetApart() throws {
    var policy = try Policy("chunked")
    try policy.set("budget", to: "256")
    #expect(policy.has("budget") && !policy.has("decodes"))
    #expect(policy.description == "chunked[budget=256]")
  }

  @Test func anUnknownNameIsSuggestedARealOne() {
    let line = complaint("layerd")
    #expect(line == "unknown policy 'layerd'; did you mean 'layered'? (see 'sim list policies')")
    let stranger = complaint("round-robin")
    #expect(stranger == "unknown policy 'round-robin' (see 'sim list policies')")
  }

  @Test func anUnknownParameterIsToldTheRealOnes() {
    let line = complaint("layered[stage=8]")
    #expect(line == "policy 'layered' has no parameter 'stage'; it has: stages, cohort, groups")
  }

  @Test(arguments: ["0", "-1", "1.5", "", "many", "1073741825", "99999999999999999999"])
  func aNumberIsWholeAndPositive(value: String) {
    let line = complaint("chunked[budget=\(value)]")
    #expect(line == "policy parameter budget=\(value): expected a whole number from 1 to 2^30")
  }

  @Test func aWordIsOneOfTheKnown() {
    let line = complaint("layered[groups=both]")
    #expect(line == "policy parameter groups=both: expected tiers or paper or cost")
  }

  @Test(arguments: [
    "layered[", "layered[]", "layered[stages]", "layered[stages=8", "layered[stages=8]]",
    "layered[stages=8]x",
    "layered[stages=8,]", "layered[stages=8=9]",
  ])
  func brackets(text: String) {
    let line = complaint(text)
    #expect(line.hasPrefix("policy ") && !line.hasPrefix("understood"), "\(line)")
  }

  @Test func stagesAreAtMostTheLayers() throws {
    let policy = try Policy("layered[stages=49]")
    let error = #expect(throws: PolicyError.self) { try policy.resolved(layers: 48, maxModelLength: 1) }
    #expect(error?.description == "policy parameter stages=49: expected at most the model's 48 layers")
  }

  /// The reference's 16 stages for 48 layers and 12 for 24; for any model a number that divides its layers.
  @Test func defaultsSuitTheModel() throws {
    let policy = try Policy("layered")
    let stages = try [48, 24, 36, 32, 61].map { layers in
      try policy.resolved(layers: layers, maxModelLength: 1).description.split(separator: ",")[0]
    }
    #expect(stages == [16, 12, 12, 16, 1].map { "layered[stages=\($0)" })
  }

  @Test(arguments: PolicyCatalog.entries.map(\.name)) func aResolvedPolicyHasEveryParameter(name: String)
    throws
  {
    let policy = try Policy(name).resolved(layers: 4, maxModelLength: 100)
    let missing = policy.entry.parameters.map(\.name).filter { !policy.has($0) }
    #expect(missing == [])
    let again = try Policy(policy.description).description
    #expect(again == policy.description)
  }

  @Test func everyEntryCanBeListed() {
    for entry in PolicyCatalog.entries {
      #expect(!entry.summary.isEmpty && !entry.summary.contains("\n"), "\(entry.name)")
      #expect(entry.parameters.contains { $0.name == entry.batchedTokens }, "\(entry.name)")
    }
    #expect(Set(PolicyCatalog.entries.map(\.name)).count == PolicyCatalog.entries.count)
  }
}
