import Serving

// How requests arrive, and how many there are.
extension WorkloadSpecification {
  /// What the options make of arrivals, given what the source has.
  func arrivalProcess(for source: TraceFile) throws(WorkloadError) -> ArrivalProcess {
    let hasArrivals = if case .trace(let list) = source { list.hasArrivals } else { false }
    let kind: ArrivalKind
    if let arrivals {
      kind = arrivals
    } else if rampUp != nil || rampUpStart != nil || rampUpEnd != nil {
      kind = .ramp
    } else if bursts != nil {
      kind = .bursts
    } else if days != nil {
      kind = .daily
    } else if requestRate == .infinity {
      kind = .allAtOnce
    } else if requestRate == nil, burstiness == nil, hasArrivals {
      kind = .trace
    } else if areReady {
      kind = .allAtOnce
    } else {
      kind = (burstiness ?? 1) == 1 ? .poisson : .gamma
    }

    if timeScale != nil, kind != .trace {
      throw .contradiction(
        "--time-scale: \(kind.rawValue) arrivals have no times to stretch; use --request-rate")
    }
    try checkPatterns(kind)
    if let burstiness, kind != .gamma, kind != .ramp, !(kind == .poisson && burstiness == 1) {
      throw .contradiction(
        "--burstiness \(burstiness): goes with gamma arrivals, not with \(kind.rawValue) ones")
    }
    if let requestRate {
      if kind == .trace {
        throw .contradiction(
          "--request-rate \(requestRate): the trace's own arrivals have their own rate; use --time-scale")
      }
      if kind == .ramp {
        throw .contradiction(
          "--request-rate \(requestRate): the rate of a ramp goes from --ramp-up-start-rps to --ramp-up-end-rps"
        )
      }
      if requestRate == .infinity ? kind != .allAtOnce : kind == .allAtOnce {
        throw .contradiction(
          "--request-rate \(requestRate): contradicts \(kind.rawValue) arrivals; inf goes with all-at-once alone"
        )
      }
    }
    let rate = requestRate ?? Self.defaultRequestRate
    switch kind {
    case .poisson: return .poisson(rate: rate)
    case .gamma: return .gamma(rate: rate, burstiness: burstiness ?? 1)
    case .constant: return .constant(rate: rate)
    case .allAtOnce: return .allAtOnce
    case .bursts: return .bursts(bursts ?? Bursts(), rate: rate)
    case .daily: return .daily(days ?? Days(), rate: rate)
    case .ramp: return try .ramp(ramp(), burstiness: burstiness ?? 1, count: countOfRamp())
    case .trace:
      guard hasArrivals else {
        throw .contradiction(
          "--arrivals trace: \(trace) has lengths but no arrivals; use poisson, gamma, constant or all-at-once"
        )
      }
      return .trace(timeScale: timeScale ?? 1)
    }
  }

  /// How many requests there are.
  func count(of source: TraceFile, _ process: ArrivalProcess) throws(WorkloadError) -> Int {
    if let numPrompts { return numPrompts }
    // Rates such as 0.29 have no exact double: 600 of them must not fall short of 174 by a last bit.
    if case .ramp(_, _, let count) = process { return count }
    if let rate = process.rate { return max(1, Int(rate * Self.defaultDuration * (1 + 1e-12))) }
    switch source {
    case .trace(let list): return list.rows.count
    case .model:
      throw .contradiction(
        "--num-prompts: missing; a length model played all at once has no number of its own")
    }
  }

  /// Asks for bursts if any of their figures is given; the others are the usual ones.
  public mutating func setBursts(ratio: Double?, share: Double?, length: Seconds?) {
    guard ratio != nil || share != nil || length != nil else { return }
    var bursts = Bursts()
    bursts.ratio = ratio ?? bursts.ratio
    bursts.share = share ?? bursts.share
    bursts.length = length ?? bursts.length
    self.bursts = bursts
  }

  /// Asks for days if any of their figures is given; the others are the usual ones.
  public mutating func setDays(swing: Double?, weekend: Double?, length: Seconds?) {
    guard swing != nil || weekend != nil || length != nil else { return }
    var days = Days()
    days.swing = swing ?? days.swing
    days.weekend = weekend ?? days.weekend
    days.length = length ?? days.length
    self.days = days
  }

  /// Spells out the figures of a ramp, of bursts or days that are played.
  package mutating func spellOut(_ arrivals: ArrivalProcess) {
    switch arrivals {
    case .ramp(let ramp, _, _): (rampUp, rampUpStart, rampUpEnd) = (ramp.strategy, ramp.start, ramp.end)
    case .bursts(let bursts, _): self.bursts = bursts
    case .daily(let days, _): self.days = days
    default: break
    }
  }

  /// Checks what bursts and days are, and that they are what is asked for.
  private func checkPatterns(_ kind: ArrivalKind) throws(WorkloadError) {
    func check(_ option: String, _ value: Double, _ range: ClosedRange<Double>) throws(WorkloadError) {
      guard range.contains(value) else {
        throw .invalidOption(
          option, value: "\(value)", expected: "from \(range.lowerBound) to \(range.upperBound)")
      }
    }
    if let bursts {
      try check("--burst-ratio", bursts.ratio, 1...1e6)
      try check("--burst-share", bursts.share, 1e-6...0.999_999)
      try check("--burst-length", bursts.length, 1e-3...1e7)
    }
    if let days {
      try check("--daily-swing", days.swing, 0...1)
      try check("--weekend-share", days.weekend, 1e-3...1000)
      try check("--day-length", days.length, 1e-3...1e7)
    }
    for (isGiven, due, options) in [
      (bursts != nil, ArrivalKind.bursts, "--burst-ratio, --burst-share, --burst-length"),
      (days != nil, .daily, "--daily-swing, --weekend-share, --day-length"),
      (rampUp != nil || rampUpStart != nil || rampUpEnd != nil, .ramp, "--ramp-up-strategy"),
    ] where isGiven && kind != due {
      throw .contradiction("\(options): go with \(due.rawValue) arrivals, not with \(kind.rawValue) ones")
    }
  }

  /// The ramp that is asked for.
  private func ramp() throws(WorkloadError) -> Ramp {
    guard let rampUpStart, let rampUpEnd else {
      throw .contradiction(
        "--ramp-up-strategy: needs --ramp-up-start-rps and --ramp-up-end-rps, in requests a second")
    }
    for (option, rate) in [("--ramp-up-start-rps", rampUpStart), ("--ramp-up-end-rps", rampUpEnd)]
    where !(1e-6...1e6).contains(rate) {
      throw .invalidOption(option, value: "\(rate)", expected: "from 1e-6 to 1e6 requests a second")
    }
    return Ramp(rampUp ?? .linear, start: rampUpStart, end: rampUpEnd)
  }

  /// How many requests a ramp has: those asked for, or as many as last for the usual time.
  private func countOfRamp() throws(WorkloadError) -> Int {
    if let numPrompts { return numPrompts }
    return max(1, Int(Self.defaultDuration / (try ramp()).meanGap))
  }
}
