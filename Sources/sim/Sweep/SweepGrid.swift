/// What a sweep varies: the Cartesian product of its options' values, the last one varying fastest.
struct SweepGrid {
  /// Most points that a sweep may have.
  static let mostPoints = 1_000_000

  let axes: [SweepAxis]

  /// Reads a command line of run options whose values are lists and ranges.
  init(_ arguments: [String]) throws(CommandLineError) {
    var axes: [SweepAxis] = []
    var option: String?
    var words: [Substring] = []
    func finish() throws(CommandLineError) {
      guard let option else { return }
      let name = OptionNames.plain(option)
      guard OptionNames.repeatable.contains(name) || !axes.contains(where: { $0.option == name }) else {
        throw .contradiction("\(option): given twice; write all of its values as one list, a,b,c")
      }
      axes.append(try SweepAxis(option: name, words: words))
    }
    for argument in arguments {
      if argument.hasPrefix("--") {
        try finish()
        let sides = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        option = String(sides[0])
        words = sides.count == 2 ? [sides[1]] : []
      } else {
        guard option != nil else {
          throw .contradiction("'\(argument)' follows no option; a sweep takes those of 'sim run'")
        }
        words.append(argument[...])
      }
    }
    try finish()
    self.axes = axes
    var points = 1
    for axis in axes {
      let (product, overflow) = points.multipliedReportingOverflow(by: axis.alternatives.count)
      guard !overflow, product <= Self.mostPoints else {
        throw .contradiction("the sweep has more than \(Self.mostPoints) points; use shorter lists")
      }
      points = product
    }
  }

  /// The options that have more than one value, without their dashes.
  var varying: [String] { axes.filter { $0.alternatives.count > 1 }.map { String($0.option.dropFirst(2)) } }

  /// Each point's arguments, and its values of the options that vary.
  var points: [(arguments: [String], values: [String])] {
    var points: [(arguments: [String], values: [String])] = [([], [])]
    for axis in axes {
      let varies = axis.alternatives.count > 1
      points = points.flatMap { point in
        axis.alternatives.map { words in
          (
            point.arguments + [axis.option] + words,
            varies ? point.values + [words.joined(separator: " ")] : point.values
          )
        }
      }
    }
    return points
  }
}
