/// Options that go by several names.
enum OptionNames {
  /// Other names, and the option that each stands for.
  private static let aliases = [
    "--dataset-path": "--trace", "--random-input-len": "--input-len", "--random-output-len": "--output-len",
    "--random-range-ratio": "--range-ratio", "--schedule-mode": "--policy", "--gpu": "--hardware",
    "--tp": "--tensor-parallel-size", "--dp": "--data-parallel-size", "--pp": "--pipeline-parallel-size",
    "--goodput": "--slo",
    "--exact-steps": "--no-fast-forward",
  ]

  /// The first of an option's names.
  static func plain(_ option: String) -> String { aliases[option] ?? option }

  /// Options that are given once for each of their values.
  static let repeatable: Set = ["--engine-set", "--hardware-set", "--request-class", "--metadata"]
}
