/// The trace formats that can be read, told apart by the header or the first record.
public enum TraceFormat: String, Sendable, CaseIterable {
  /// Lengths, with or without arrivals, as Vidur and Sarathi-Serve keep them.
  case vidur
  /// Azure's public traces of 2023, 2024 and 2025, and NanoFlow's files of the same shape.
  case azure
  /// BurstGPT, with or without the columns for sessions.
  case burstGPT
  /// A table of token counts under the names that benchmark tools give them.
  case lengths
  /// Mooncake's traces, one JSON object a line.
  case mooncake
  /// Alibaba's traces of Qwen, one JSON object a line.
  case bailian
  /// The input of LLMServingSim, one JSON object a line.
  case llmServingSim
  /// The input of APEX, one JSON object a line.
  case apex
  /// A joint distribution of lengths, rather than a list of requests.
  case lengthModel

  /// What people call it.
  public var title: String {
    switch self {
    case .vidur: "Vidur"
    case .azure: "Azure"
    case .burstGPT: "BurstGPT"
    case .lengths: "lengths"
    case .mooncake: "Mooncake"
    case .bailian: "Qwen-Bailian"
    case .llmServingSim: "LLMServingSim"
    case .apex: "APEX"
    case .lengthModel: "length model"
    }
  }

  /// How one recognises it: the columns or keys that are read, with their units.
  public var layout: String {
    switch self {
    case .vidur: "CSV [arrived_at in s,]num_prefill_tokens,num_decode_tokens"
    case .azure: "CSV TIMESTAMP as a date and time or XXX,ContextTokens,GeneratedTokens"
    case .burstGPT: "CSV Timestamp in s,Request tokens,Response tokens"
    case .lengths: "CSV [arrived_at in s,]prompt_len,output_len or synonyms"
    case .mooncake: "JSON lines timestamp in ms,input_length,output_length[,hash_ids]"
    case .bailian: "JSON lines chat_id,timestamp in s,input_length,output_length[,hash_ids]"
    case .llmServingSim: "JSON lines arrival_time_ns,input_toks,output_toks"
    case .apex: "JSON lines StartTimeOffset in ns,ContextTokens,GeneratedTokens"
    case .lengthModel: "JSON of schema \(LengthModel.schema)"
    }
  }
}
