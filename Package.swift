// swift-tools-version: 6.2
import PackageDescription

/// Our own targets are optimised in debug too, in which `swift run sim` builds.
///
/// So the everyday command runs at nearly release speed; a root package may use `unsafeFlags`. `assert` is compiled
/// out by that: invariants are `precondition`s or typed errors.
let settings: [SwiftSetting] = [
  .unsafeFlags(["-O"], .when(configuration: .debug)),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// Tests are built without optimisation, which takes half the time: mostly they call optimised code.
let testSettings = Array(settings.dropFirst())

/// A target of ours, and the tests beside it.
///
/// - Parameter testsCompute: whether the tests themselves compute much, as the naive engine does.
func module(
  _ name: String, _ dependencies: [Target.Dependency] = [], testsCompute: Bool = false
) -> [Target] {
  [
    .target(name: name, dependencies: dependencies, swiftSettings: settings),
    .testTarget(
      name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies,
      swiftSettings: testsCompute ? settings : testSettings
    ),
  ]
}

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")

let package = Package(
  name: "sim",
  products: [.executable(name: "sim", targets: ["sim"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
  ],
  targets: [
    .systemLibrary(name: "COpenBLAS"),
    .executableTarget(
      name: "sim",
      dependencies: [
        "Support", "Statistics", "Serving", "Policies", "CostModels", "Workloads", "ResultStore",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "simTests",
      dependencies: [
        "sim", "Support", "Statistics", "Serving", "Policies", "CostModels", "Workloads", "ResultStore",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: testSettings),
  ]
    + module("Support")
    + module("Statistics", testsCompute: true)
    + module("Serving", ["Support", "Statistics"])
    + module("Policies", ["Serving", "Support", "Statistics"], testsCompute: true)
    + module("CostModels", ["Serving", "Support", "Statistics", "COpenBLAS"])
    + module("Workloads", ["Serving", "Support", "Statistics"])
    + module("ResultStore", ["Serving", "Support", "Statistics", grdb, sqlite]),
  swiftLanguageModes: [.v6]
)
