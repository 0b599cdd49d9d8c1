import ArgumentParser
import Foundation
import Support
import Workloads

/// `sim generate`: writes traces whose prompts share their beginnings.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract:
      "Write a trace whose prompts share their beginnings: conversations, or questions about documents.",
    discussion: """
      The trace has Mooncake's format, and is played with --trace and its own arrivals; a server with --enable-prefix-caching \
      finds what prompts share. What an endless cache would find is said on standard error.

      Examples:
        sim generate sessions --request-rate 4 --num-prompts 2000 > chat.jsonl
        sim generate documents --documents 4 --sorted > rag.jsonl
        sim run --trace chat.jsonl --engine vllm --enable-prefix-caching
      """,
    subcommands: [Sessions.self, Documents.self])

  /// What all kinds have.
  struct Common: ParsableArguments {
    @Option(help: "Number of requests.")
    var numPrompts = 1000

    @Option(help: ArgumentHelp("Mean requests per second.", valueName: "req/s"))
    var requestRate = 1.0

    @Option(help: ArgumentHelp("Tokens of the system prompt that all begin with.", valueName: "tokens"))
    var system = 512

    @Option(help: ArgumentHelp("Mean output.", valueName: "tokens"))
    var output = 250

    @Option(
      help: ArgumentHelp(
        "Deviation of the logarithm of lengths that are drawn; 0 makes them all the same.",
        valueName: "number"))
    var spread = 0.8

    @Option(help: ArgumentHelp("Tokens that one of the trace's ids stands for.", valueName: "tokens"))
    var block = 64

    @Option(help: "Other requests of the kind.")
    var seed: UInt64 = 0

    /// Checks what all kinds have.
    func checkValues() throws(CommandLineError) {
      try check("--num-prompts", Double(numPrompts), 1...1e6)
      try check("--request-rate", requestRate, 1e-6...1e6)
      try check("--system", Double(system), 0...1e6)
      try check("--output", Double(output), 1...1e6)
      try check("--spread", spread, 0...3)
      try check("--block", Double(block), 1...65_536)
    }

    func check(
      _ option: String, _ value: Double, _ range: ClosedRange<Double>
    ) throws(CommandLineError) {
      guard range.contains(value) else {
        throw .badValue(
          option: option, value: short(value),
          expected: "\(short(range.lowerBound)) to \(short(range.upperBound))")
      }
    }

    /// Checks that the ids of all prompts fit into memory.
    func checkSize(longest: Int) throws(CommandLineError) {
      guard numPrompts * (longest / block + 2) <= 50_000_000 else {
        throw .contradiction(
          "--num-prompts \(numPrompts): their prompts may have more than 50 million ids; use fewer, or a larger --block"
        )
      }
    }

    private func short(_ value: Double) -> String { String(format: "%g", value) }

    /// Prints a trace, and what it is.
    func write(_ trace: GeneratedTrace) {
      for place in trace.rows.indices { print(trace.line(ofRow: place)) }
      let prompts = trace.rows.reduce(0) { $0 + $1.promptTokens }
      let span = trace.rows.last?.arrival ?? 0
      warn(
        String(
          format:
            "%d requests in %.0f s, %.0f prompt tokens in the mean, of which an endless cache finds %.1f %%",
          trace.rows.count, span, Double(prompts) / Double(trace.rows.count),
          Double(trace.repeatedTokens) / Double(max(prompts, 1)) * 100))
    }
  }

  /// Conversations.
  struct Sessions: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Conversations: each prompt is all that was said before, and something new.")

    @OptionGroup var common: Common

    @Option(help: ArgumentHelp("Mean turns of a conversation.", valueName: "number"))
    var turns = 5.0

    @Option(help: ArgumentHelp("Mean tokens that a turn adds to the prompt.", valueName: "tokens"))
    var input = 300

    @Option(help: ArgumentHelp("Mean time between an answer and the next turn.", valueName: "seconds"))
    var think = 30.0

    @Option(help: ArgumentHelp("Longest prompt, at which a conversation ends.", valueName: "tokens"))
    var longest = 32_768

    func run() throws {
      try common.checkValues()
      try common.check("--turns", turns, 1...1000)
      try common.check("--input", Double(input), 1...1e6)
      try common.check("--think", think, 0...1e6)
      try common.check("--longest", Double(longest), 1...1e7)
      try common.checkSize(longest: longest)
      guard common.system + input <= longest else {
        throw CommandLineError.contradiction("--longest \(longest): less than the system prompt and a turn")
      }
      var generator = SessionGenerator()
      generator.rate = common.requestRate
      generator.turns = turns
      generator.system = common.system
      generator.input = input
      generator.output = common.output
      generator.sigma = common.spread
      generator.think = think
      generator.longest = longest
      generator.blockTokens = common.block
      common.write(generator.trace(count: common.numPrompts, seed: common.seed))
    }
  }

  /// Questions about documents.
  struct Documents: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Questions about documents, as retrieval makes them; with one document vLLM's prefix_repetition.")

    @OptionGroup var common: Common

    @Option(help: ArgumentHelp("How many documents there are.", valueName: "number"))
    var library = 1000

    @Option(help: ArgumentHelp("Documents in a prompt.", valueName: "number"))
    var documents = 4

    @Option(help: ArgumentHelp("Tokens of a document.", valueName: "tokens"))
    var document = 512

    @Option(
      help: ArgumentHelp(
        "The k-th document is chosen as often as 1 / k to this power; 0 for all alike.", valueName: "number"))
    var zipf = 1.0

    @Flag(help: "Put the documents of a prompt in one order, so that more beginnings are equal.")
    var sorted = false

    @Option(help: ArgumentHelp("Mean tokens of a question.", valueName: "tokens"))
    var question = 100

    func run() throws {
      try common.checkValues()
      try common.check("--library", Double(library), 1...1e6)
      try common.check("--documents", Double(documents), 1...64)
      try common.check("--document", Double(document), 1...1e6)
      try common.check("--zipf", zipf, 0...4)
      try common.check("--question", Double(question), 1...1e6)
      try common.checkSize(longest: common.system + documents * (document + common.block) + question)
      guard documents <= library / 2 || documents == 1 else {
        throw CommandLineError.contradiction("--documents \(documents): at most half of --library \(library)")
      }
      var generator = PrefixGenerator()
      generator.rate = common.requestRate
      generator.system = common.system
      generator.library = library
      generator.documents = documents
      generator.document = document
      generator.zipf = zipf
      generator.isSorted = sorted
      generator.question = question
      generator.output = common.output
      generator.sigma = common.spread
      generator.blockTokens = common.block
      common.write(generator.trace(count: common.numPrompts, seed: common.seed))
    }
  }
}
