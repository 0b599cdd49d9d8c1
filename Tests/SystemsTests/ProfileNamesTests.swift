import Testing

@testable import Systems

/// What names stand for.
@Suite struct ProfileNamesTests {
  private let known = [
    "h100-sxm", "l40s", "llama-3.1-8b", "llama-4-maverick", "mixtral-8x7b", "qwen3-30b-a3b",
    "jamba-1.5-mini", "nemotron-3-nano-30b-a3b",
  ]

  @Test(arguments: [
    ("H100", "h100-sxm"), ("h100-SXM", "h100-sxm"), ("L40S", "l40s"), ("Qwen3-30B-A3B", "qwen3-30b-a3b"),
    ("Meta-Llama-3.1-8B-Instruct", "llama-3.1-8b"), ("Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"),
    ("Llama-4-Maverick-17B-128E-Instruct", "llama-4-maverick"), ("AI21-Jamba-1.5-Mini", "jamba-1.5-mini"),
    ("NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "nemotron-3-nano-30b-a3b"),
  ])
  func areFoundInTheirUsualForms(name: String, expected: String) {
    #expect(ProfileFolder.known(name, among: known) == expected)
  }

  @Test(arguments: ["h10", "qwen3", "llama-3.1-70b", "meta-", ""])
  func areNotGuessed(name: String) { #expect(ProfileFolder.known(name, among: known) == nil) }

  @Test func ofRepositoriesThatAreUnknownSayWhichFileWouldDo() {
    let error = DescriptionError.unknownName(kind: "model", name: "a/B", known: known)
    #expect(
      error.description.hasSuffix("such as that of https://huggingface.co/a/B/resolve/main/config.json"))
  }
}
