import ArgumentParser

@main
struct Sim: ParsableCommand {
  mutating func run() throws {}
}
