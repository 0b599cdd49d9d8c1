// swift-tools-version: 6.2
import PackageDescription

/// Whether another package depends on this one by version: then its checkout lies in a folder named `checkouts`.
let isCheckout = Context.packageDirectory.split(separator: "/").dropLast().last == "checkouts"

/// Our own targets are optimised in debug too, in which `swift run sim` builds.
///
/// So the everyday command runs at nearly release speed. `assert` is compiled out by that: invariants are
/// `precondition`s or typed errors. SwiftPM takes `unsafeFlags` from the root package alone, not from versioned
/// dependencies.
let optimised: [SwiftSetting] = isCheckout ? [] : [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// What all targets are held to.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

let settings = optimised + strict

/// Tests are built without optimisation, which takes half the time: mostly they call optimised code.
let testSettings = strict

/// A target of ours, and the tests beside it.
///
/// - Parameters:
///   - name: the target's name.
///   - dependencies: what it imports.
///   - testsUse: what its tests import beside that.
///   - testData: folders of files that its tests read.
///   - testsCompute: whether the tests themselves compute much, as the naive engine does.
/// - Returns: both targets.
func module(
  _ name: String, _ dependencies: [Target.Dependency] = [], testsUse: [Target.Dependency] = [],
  testData: [String] = [], testsCompute: Bool = false
) -> [Target] {
  [
    .target(name: name, dependencies: dependencies, swiftSettings: settings),
    .testTarget(
      name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies + testsUse,
      exclude: testData,
      swiftSettings: testsCompute ? settings : testSettings
    ),
  ]
}

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")

/// What other packages can import; who imports one builds only what lies below it.
let libraries = [
  "Support", "Statistics", "Serving", "Policies", "Systems", "CostModels", "Workloads", "ResultStore",
  "Experiments",
]

let package = Package(
  name: "sim",
  products: [.executable(name: "sim", targets: ["sim"])]
    + libraries.map { .library(name: $0, targets: [$0]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
  ],
  targets: [
    .systemLibrary(name: "COpenBLAS"),
    .target(
      name: "TestSupport", dependencies: ["Systems"], path: "Tests/TestSupport", swiftSettings: testSettings),
    .executableTarget(
      name: "sim",
      dependencies: [
        "Support", "Statistics", "Serving", "Policies", "Systems", "CostModels", "Calibration", "Workloads",
        "ResultStore", "Experiments", "Exports",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "simTests",
      dependencies: [
        "sim", "Support", "Statistics", "Serving", "Policies", "Systems", "CostModels", "Calibration",
        "Workloads", "ResultStore", "Experiments", "Exports", "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Golden/golden.json", "Golden/databases.json"],
      swiftSettings: testSettings),
  ]
    + module("Support", testsUse: ["TestSupport"])
    + module("Statistics", testsCompute: true)
    + module("Serving", ["Support", "Statistics"])
    + module("Policies", ["Serving", "Support", "Statistics"], testsCompute: true)
    + module("Systems", ["Support"], testsUse: ["TestSupport"])
    + module("CostModels", ["Systems", "Serving", "Support", "Statistics"], testsUse: ["TestSupport"])
    + module(
      "Calibration", ["CostModels", "Systems", "Serving", "Support", "COpenBLAS"], testsUse: ["TestSupport"])
    + module("Workloads", ["Serving", "Support", "Statistics"])
    + module("ResultStore", ["Serving", "Support", "Statistics", grdb, sqlite])
    + module(
      "Experiments",
      ["Support", "Statistics", "Serving", "Policies", "Systems", "CostModels", "Workloads", "ResultStore"],
      testsUse: ["TestSupport", grdb], testData: ["Databases", "Schedules"])
    + module(
      "Exports", ["ResultStore", "Serving", "Statistics", "Support"],
      testsUse: ["Experiments", "TestSupport"]),
  swiftLanguageModes: [.v6]
)
