// swift-tools-version: 6.2
import PackageDescription

// A package of somebody else's, which depends on this one by version as any other would. `Scripts/check-outsider` runs it.
let package = Package(
  name: "Outsider",
  dependencies: [
    .package(url: Context.environment["SIM_REPOSITORY"] ?? "https://github.com/OWNER/sim", exact: "0.0.1")
  ],
  targets: [
    .executableTarget(
      name: "Outsider",
      dependencies: [
        .product(name: "Experiments", package: "sim"), .product(name: "Serving", package: "sim"),
      ])
  ]
)
