import Foundation
import Serving

/// Speculative decoding as vLLM's `--speculative-config` describes it, with acceptance as data.
///
/// What a drafter would get right is not simulated. It is given as vLLM's own benchmarks give it: by the share of steps
/// that accept so many drafts at least, or by the mean number of tokens that come out of a step.
public struct SpeculativeSpecification: Sendable, Hashable {
  /// What makes the drafts.
  public enum Method: String, Sendable, Codable, CaseIterable {
    /// Look-up of the latest tokens in the text so far: no time on the GPU.
    case ngram
    /// One dense layer on the hidden states of three of the model's.
    case eagle3
    /// One more layer of the model: DeepSeek's, Qwen's and GLM's multi-token prediction.
    case mtp
    /// A smaller model.
    case draftModel = "draft_model"
  }

  /// What makes the drafts.
  public var method = Method.ngram
  /// The smaller model, as `--model` takes it.
  public var model: String?
  /// Drafts of each sequence in a step.
  public var drafts = 1
  /// How tokens are accepted: `synthetic`, by the figures given here.
  public var acceptance: String?
  /// The share of steps that accept so many drafts at least, for each number of drafts.
  public var rates: [Double]?
  /// Tokens that come out of a step, on average.
  public var length: Double?
  /// Tokens that an EAGLE-3 layer can draft; `nil` for 32,000, or the model's vocabulary if that is smaller.
  public var draftVocabulary: Int?
  /// Width of the MLP of an EAGLE-3 layer; `nil` for that of the model's own layers.
  public var draftIntermediate: Int?

  /// Creates one draft by n-gram.
  public init() {}

  /// Reads a JSON object.
  ///
  /// - Parameters:
  ///   - text: the object.
  ///   - source: where it comes from, for errors.
  /// - Throws: ``ExperimentError``, naming the member.
  public init(json text: String, from source: String) throws(ExperimentError) {
    do {
      self = try JSONDecoder().decode(SpeculativeSpecification.self, from: Data(text.utf8))
    } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
      throw .invalidMember(
        source: source, member: "'\(text)'",
        reason: "not valid JSON; expected an object such as "
          + #"{"method": "ngram", "num_speculative_tokens": 3, "synthetic_acceptance_length": 2.1}"#)
    } catch {
      throw ExperimentError(error, source: source)
    }
  }

  /// The share of steps that accept so many drafts at least, for each number of drafts.
  ///
  /// A length is spread as vLLM does: as many drafts as it has whole tokens are always accepted, the next one by what
  /// is left. No other rates of that length vary less.
  public var acceptanceRates: [Double] {
    if let rates { return rates }
    guard let length else { return [] }
    return (1...max(drafts, 1)).prefix(drafts).map { min(1, max(0, length - Double($0))) }
  }

  /// Whether a step reserves memory for the drafts of the next one, as vLLM does where a model on the GPU drafts.
  var reservesLookahead: Bool { method != .ngram }

  /// How sequences decode.
  ///
  /// - Parameter seed: begins the streams of acceptance.
  /// - Returns: the rules.
  func speculation(seed: UInt64) -> Speculation {
    Speculation(rates: acceptanceRates, lookahead: reservesLookahead ? drafts : 0, seed: seed)
  }

  /// Checks each value by itself.
  func checkValues() throws(ExperimentError) {
    func bad(_ member: String, _ value: String, _ expected: String) -> ExperimentError {
      .invalidValue(option: "--speculative-config: \(member)", value: value, expected: expected)
    }
    guard (0...64).contains(drafts) else {
      throw bad("num_speculative_tokens", "\(drafts)", "0 to 64")
    }
    if let acceptance, acceptance != "synthetic" {
      throw bad("rejection_sample_method", acceptance, "synthetic: acceptance is data here")
    }
    if let rates {
      guard length == nil else {
        throw bad("synthetic_acceptance_length", "\(length ?? 0)", "either rates or a length, not both")
      }
      guard rates.count == drafts else {
        throw bad("synthetic_acceptance_rates", "of \(rates.count) drafts", "\(drafts) rates")
      }
      guard rates.allSatisfy({ (0...1).contains($0) }),
        zip(rates, rates.dropFirst()).allSatisfy({ $0 >= $1 })
      else {
        throw bad(
          "synthetic_acceptance_rates", "\(rates)",
          "shares from 0 to 1 that do not increase: how many steps accept so many drafts at least")
      }
    } else if let length {
      guard length >= 1, length <= Double(drafts + 1) else {
        throw bad("synthetic_acceptance_length", "\(length)", "1 to \(drafts + 1) tokens in a step")
      }
    } else if drafts > 0 {
      throw bad(
        "synthetic_acceptance_rates", "missing",
        "\(drafts) rates, or a synthetic_acceptance_length: acceptance is data here")
    }
    guard (method == .draftModel) == (model != nil) else {
      throw bad(
        "model", model ?? "missing",
        method == .draftModel ? "the model that drafts" : "none with \(method.rawValue)")
    }
    for (member, value) in [("draft_vocab_size", draftVocabulary), ("intermediate_size", draftIntermediate)] {
      guard let value else { continue }
      guard method == .eagle3, (1...1 << 24).contains(value) else {
        throw bad(
          member, "\(value)", method == .eagle3 ? "1 to \(1 << 24)" : "none with \(method.rawValue)")
      }
    }
  }
}

extension SpeculativeSpecification: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case method, model
    case drafts = "num_speculative_tokens"
    case acceptance = "rejection_sample_method"
    case rates = "synthetic_acceptance_rates"
    case length = "synthetic_acceptance_length"
    case draftVocabulary = "draft_vocab_size"
    case draftIntermediate = "intermediate_size"
  }

  /// Reads an object; method and number of drafts must be there.
  public init(from decoder: any Decoder) throws {
    let object = try decoder.object(of: CodingKeys.self)
    let name = try object.decode(String.self, forKey: .method)
    guard let method = Method(rawValue: name) else {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: decoder.codingPath + [CodingKeys.method],
          debugDescription:
            "'\(name)': expected one of \(Method.allCases.map(\.rawValue).joined(separator: ", "))"))
    }
    self.method = method
    drafts = try object.decode(Int.self, forKey: .drafts)
    model = try object.decodeIfPresent(String.self, forKey: .model)
    acceptance = try object.decodeIfPresent(String.self, forKey: .acceptance)
    rates = try object.decodeIfPresent([Double].self, forKey: .rates)
    length = try object.decodeIfPresent(Double.self, forKey: .length)
    draftVocabulary = try object.decodeIfPresent(Int.self, forKey: .draftVocabulary)
    draftIntermediate = try object.decodeIfPresent(Int.self, forKey: .draftIntermediate)
  }
}
