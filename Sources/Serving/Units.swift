/// Simulated time, in seconds since the start of the run.
public typealias Seconds = Double

/// A count of tokens.
public typealias Tokens = Int

/// Energy, in joules.
public typealias Joules = Double
