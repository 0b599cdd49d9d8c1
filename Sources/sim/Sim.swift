import ArgumentParser

@main
struct Sim: ParsableCommand {
  static let configuration = CommandConfiguration(subcommands: [CalibrateCommand.self])
}
