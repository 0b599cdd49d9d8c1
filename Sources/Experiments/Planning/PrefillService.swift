import Serving
import Statistics

/// A cluster whose long prompts are computed at another site: the throughput model of Prefill as a Service (arXiv 2604.15039).
///
/// Prompts longer than a threshold t are computed by the remote instances, and their KV entries come back over one line. The other
/// prompts are computed by some of the local instances, and the rest of those decode. With p = P(L > t) and the mean lengths
/// above and below it:
///
///     remote   = min(N_remote / T_remote(l_long), B_out / S(l_long))
///     prefill  = N_p / T_local(l_short)
///     decode   = N_d x rate of an instance
///     capacity = min(remote / p, prefill / (1 - p), decode)
///
/// The paper takes the time of the mean length, where a simulation has the mean of the times.
public struct PrefillService: Sendable {
  /// Instances at the other site.
  public var remoteInstances: Int
  /// Seconds of a prompt there.
  public var remoteSeconds: LengthTable
  /// KV bytes of a prompt.
  public var bytes: LengthTable
  /// What the line from there carries, in bytes a second.
  public var egress: Double
  /// Instances here, which compute prompts or decode.
  public var localInstances: Int
  /// Seconds of a prompt here.
  public var localSeconds: LengthTable
  /// Requests a second that an instance here decodes.
  public var decodeRate: Double
  /// How long prompts are.
  public var lengths: TruncatedLogNormal

  /// Creates a description.
  public init(
    remoteInstances: Int, remoteSeconds: LengthTable, bytes: LengthTable, egress: Double,
    localInstances: Int, localSeconds: LengthTable, decodeRate: Double, lengths: TruncatedLogNormal
  ) {
    self.remoteInstances = remoteInstances
    self.remoteSeconds = remoteSeconds
    self.bytes = bytes
    self.egress = egress
    self.localInstances = localInstances
    self.localSeconds = localSeconds
    self.decodeRate = decodeRate
    self.lengths = lengths
  }

  /// What a split comes to.
  public struct Split: Sendable, Hashable {
    /// Longest prompt that is computed here, in tokens.
    public var threshold: Double
    /// Local instances that compute prompts; the others decode.
    public var prefillInstances: Int
    /// Share of the prompts that go to the other site.
    public var remoteShare: Double
    /// Requests a second of all kinds at which the other site, or its line, is full.
    public var remote: Double
    /// The same of the local instances that compute prompts.
    public var prefill: Double
    /// The same of those that decode.
    public var decode: Double
    /// Bytes a second over the line when the first of them is full.
    public var egress: Double

    /// Requests a second that all parts hold.
    public var capacity: Double { min(remote, prefill, decode) }
  }

  /// A split by the formulas.
  public func split(threshold: Double, prefillInstances: Int) -> Split {
    let share = lengths.share(above: threshold)
    let (long, short) = (lengths.mean(above: threshold), lengths.mean(upTo: threshold))
    let perRemote = min(Double(remoteInstances) / remoteSeconds(long), egress / bytes(long))
    let perLocal = Double(prefillInstances) / localSeconds(short)
    var split = Split(
      threshold: threshold, prefillInstances: prefillInstances, remoteShare: share,
      remote: share > 0 ? perRemote / share : .infinity,
      prefill: share < 1 ? perLocal / (1 - share) : .infinity,
      decode: Double(localInstances - prefillInstances) * decodeRate, egress: 0)
    split.egress = split.capacity * share * bytes(long)
    return split
  }

  /// The best split: for each number of prefill instances the threshold at which remote and local prefill are full at the
  /// same rate, by bisection; of them the one that holds most.
  ///
  /// - Complexity: O(local instances).
  public func best() -> Split {
    let splits = (1..<max(localInstances, 2)).map { instances in
      var (low, high) = (lengths.range.lowerBound, lengths.range.upperBound)
      // As the threshold rises the other site holds more requests of all kinds, and this one fewer.
      for _ in 0..<80 {
        let middle = (low + high) / 2
        let split = split(threshold: middle, prefillInstances: instances)
        if split.remote < split.prefill { low = middle } else { high = middle }
      }
      return split(threshold: high, prefillInstances: instances)
    }
    return splits.max { $0.capacity < $1.capacity } ?? split(threshold: 0, prefillInstances: 1)
  }

  /// The best split of so many local instances without the other site: all prompts stay.
  public func bestWithout(instances: Int) -> Split {
    var alone = self
    alone.localInstances = instances
    let splits = (1..<max(instances, 2)).map {
      alone.split(threshold: lengths.range.upperBound, prefillInstances: $0)
    }
    return splits.max { $0.capacity < $1.capacity } ?? alone.split(threshold: 0, prefillInstances: 1)
  }
}
