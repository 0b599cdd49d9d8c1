/// How prompts get from the instances that compute them to those that decode.
///
/// The first instances of a simulation compute prompts, the others decode. The first token is computed by the former; KV entries are
/// sent once the decoding instance has memory for all of the prompt, and until they are there the sender keeps them: a
/// decoding instance that is full holds up those that prefill.
public struct Disaggregation: Sendable {
  /// What is sent when.
  public enum Mode: String, Sendable, CaseIterable {
    /// All of a prompt when it is through the model.
    case whole
    /// A chunk of its tokens when it is through the model.
    case chunk
    /// What a step has computed when it ends, be it through all layers or a group of them.
    case group
  }

  /// Which instance gives the first token to the client.
  public enum FirstToken: String, Sendable, CaseIterable {
    /// The one that computed the prompt, as soon as that is through.
    case prefill
    /// The one that decodes, as the sequence begins to decode there: the client talks to that one alone.
    case decode
  }

  /// Which instance decodes a prompt.
  public enum Choice: String, Sendable, CaseIterable {
    /// That with the fewest to decode.
    case fewest
    /// All in turn.
    case inTurn = "in-turn"
  }

  /// Instances that compute prompts: the first ones.
  public var prefillInstances: Int
  /// KV bytes of a token in one layer, on all GPUs of an instance together.
  public var bytesPerTokenAndLayer: Double
  /// KV bytes of a prompt by its length, where a table says so; `nil` where ``bytesPerTokenAndLayer`` does.
  public var promptBytes: LengthTable?
  /// What is sent when.
  public var mode: Mode
  /// Which instance gives the first token to the client.
  public var firstToken = FirstToken.prefill
  /// Which instance decodes a prompt; of a server with several ranks that with the fewest.
  public var choice = Choice.fewest
  /// What it is sent over, with a port for each instance.
  public var network: KVNetwork

  /// Creates a description.
  public init(prefillInstances: Int, bytesPerTokenAndLayer: Double, mode: Mode, network: KVNetwork) {
    self.prefillInstances = prefillInstances
    self.bytesPerTokenAndLayer = bytesPerTokenAndLayer
    self.mode = mode
    self.network = network
  }
}

/// Where the prompts under way between two instances are.
struct Handovers {
  /// A prompt under way.
  struct Prompt {
    var source: Int
    var slot: Slot
    /// The instance that will decode it.
    var sink: Int
    var request: Request
    /// How much of tokens x layers is ready to be sent, and how much has been given to the network.
    var readyArea = 0
    var sentArea = 0
    /// Whether there is memory for it where it goes.
    var hasMemory = false
    /// What goes on there, once the prompt is through the model.
    var sequence: SequenceState?
    var record: TransferRecord
  }

  var rules: Disaggregation
  var prompts: [Int: Prompt] = [:]
  /// How many prompts have been given a place to decode.
  var turn = 0
  /// Requests that wait for memory of each instance, in order.
  var waiting: [[Int]]
  /// Sequences that are there, and join at the end of the step that runs.
  var arrived: [[SequenceState]]
  /// Bytes that have been moved.
  var bytesMoved = 0.0

  init(_ rules: Disaggregation, instances: Int) {
    self.rules = rules
    waiting = Array(repeating: [], count: instances)
    arrived = Array(repeating: [], count: instances)
  }
}
