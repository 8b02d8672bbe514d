// swift-tools-version: 6.2

import PackageDescription

/// Set by `launch/test.sh` only, so that a later compiler's new warnings do not stop anyone else's build.
let warningsAreErrors = Context.environment["MAXMIN_WARNINGS_AS_ERRORS"] != nil

/// Every Swift target is built with the same strict settings; the target list below is the architecture, bottom first.
let strict: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (warningsAreErrors ? [.treatAllWarnings(as: .error)] : [])

let strictC: [CSetting] = warningsAreErrors ? [.treatAllWarnings(as: .error)] : []

/// Loops over megabytes of text, of gradients in the in-process group, or over users and their features: without
/// optimization they would make the tests wait.
let optimizedInDebug: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// A room of the program: a Swift target and its mirror in `Tests/`.
func room(_ name: String, uses dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
    _ name: String,
    uses dependencies: [Target.Dependency] = [],
    _ settings: [SwiftSetting] = []
) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.target(name: name)] + dependencies,
        swiftSettings: strict + settings
    )
}

let package = Package(
    name: "maxmin",
    products: [.executable(name: "maxmin", targets: ["maxmin"])],
    traits: [
        .trait(name: "MPI", description: "Run on many ranks through Open MPI."),
        .trait(name: "OneDNN", description: "bf16 products through oneDNN."),
        .default(enabledTraits: ["MPI", "OneDNN"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        // System libraries and C.
        .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-openmp-dev"])]),
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "CCollectives",
            dependencies: [.target(name: "COpenMPI", condition: .when(traits: ["MPI"]))],
            cSettings: [.define("CC_MPI", .when(traits: ["MPI"]))] + strictC
        ),
        .target(
            name: "CKernels",
            dependencies: ["COpenBLAS", .target(name: "COneDNN", condition: .when(traits: ["OneDNN"]))],
            cSettings: [.define("CK_ONEDNN", .when(traits: ["OneDNN"])), .unsafeFlags(["-O3"])] + strictC,
            linkerSettings: [.linkedLibrary("gomp"), .linkedLibrary("dnnl", .when(traits: ["OneDNN"]))]
        ),

        .target(name: "CStart", cSettings: strictC),

        // Ground floor.
        room("Failures"),
        room("Randomness"),
        room("Files", uses: ["CZlib", "Failures"]),
        .target(name: "StrictJSON", dependencies: ["Failures", "Files"], swiftSettings: strict + optimizedInDebug),
        .target(
            name: "StrictYAML",
            dependencies: ["Failures", "Files", "StrictJSON", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict
        ),
        .target(name: "Collectives", dependencies: ["Failures"], swiftSettings: strict + optimizedInDebug),

        // Numbers and ranks.
        room("Tensors", uses: ["CKernels"]),
        room("MPICollectives", uses: ["CCollectives", "Collectives"]),
        room("Optimizers", uses: ["Collectives", "Tensors"]),
        room("Watching", uses: ["Collectives", "Failures", "Randomness"]),

        // Text and people.
        .target(name: "Text", dependencies: ["Failures", "StrictJSON"], swiftSettings: strict + optimizedInDebug),
        room("Preferences", uses: ["Failures", "Files", "Randomness", "StrictJSON", "StrictYAML", "Text"]),

        // Models.
        room("LanguageModels", uses: ["Failures", "Randomness", "Tensors"]),
        room("Training", uses: ["Collectives", "LanguageModels", "Optimizers", "Tensors"]),
        room("ModelFiles", uses: ["Failures", "Files", "LanguageModels", "StrictJSON", "Tensors", "Text"]),

        // The method.
        .target(
            name: "RewardMixture",
            dependencies: [
                "Collectives", "Failures", "LanguageModels", "Optimizers", "Preferences", "Randomness", "Tensors",
                "Training",
            ],
            swiftSettings: strict + optimizedInDebug
        ),
        room(
            "MaxMinPolicy",
            uses: ["Collectives", "Failures", "LanguageModels", "Optimizers", "Randomness", "Tensors", "Training"]
        ),
        room("Simulation", uses: ["Failures", "Preferences", "Randomness", "StrictJSON", "Text"]),
        room("Evaluation", uses: ["Randomness", "Simulation"]),
        room("Judging", uses: ["Failures", "ModelFiles", "StrictJSON"]),
        room("Reporting", uses: ["Failures", "StrictJSON"]),

        // Runs, what stands beside them, and the command line.
        room(
            "Runs",
            uses: [
                "CStart", "Collectives", "Evaluation", "Failures", "Files", "Judging", "LanguageModels",
                "MaxMinPolicy", "ModelFiles", "Optimizers", "Preferences", "Randomness", "Reporting", "RewardMixture",
                "Simulation", "StrictJSON", "StrictYAML", "Tensors", "Text", "Training", "Watching",
            ]
        ),
        room("Launching", uses: ["Collectives", "Failures", "Runs", "StrictYAML", "Watching"]),
        room(
            "Benchmarks",
            uses: [
                "Collectives", "Failures", "LanguageModels", "Launching", "MaxMinPolicy", "Optimizers", "Preferences",
                "Randomness", "Reporting", "RewardMixture", "Runs", "StrictJSON", "Tensors", "Training",
            ]
        ),
        room(
            "ModelTools",
            uses: [
                "Collectives", "Evaluation", "Failures", "Judging", "LanguageModels", "ModelFiles", "Preferences",
                "Randomness", "Reporting", "RewardMixture", "Runs", "Simulation", "StrictJSON", "StrictYAML", "Tensors",
                "Text",
            ]
        ),
        .executableTarget(
            name: "maxmin",
            dependencies: [
                "Benchmarks", "Collectives", "Failures", "LanguageModels", "Launching", "ModelFiles", "ModelTools",
                "Preferences", "Reporting", "Runs", "StrictJSON", "StrictYAML", "Tensors", "Text", "Watching",
                .target(name: "MPICollectives", condition: .when(traits: ["MPI"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        // Tests.
        .target(
            name: "TestSupport",
            dependencies: ["Collectives", "Optimizers", "Tensors"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        tests("Failures", uses: ["StrictYAML"]),
        tests("Files", uses: ["Failures"]),
        tests("StrictJSON", uses: ["Failures"]),
        tests("StrictYAML"),
        tests("Randomness"),
        .target(
            name: "CollectiveChecks",
            dependencies: ["Collectives"],
            path: "Tests/CollectiveChecks",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "mpi-selftest",
            dependencies: ["CollectiveChecks", "Collectives", "Failures", "MPICollectives", "Watching"],
            path: "Tests/mpi-selftest",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "Collectives", "Failures", "Launching", "ModelFiles", "Optimizers", "Preferences", "Reporting",
                "RewardMixture", "Runs", "StrictJSON", "StrictYAML", "Tensors", "Text",
            ],
            path: "Tests/fuzz",
            swiftSettings: strict + optimizedInDebug
        ),
        tests("Collectives", uses: ["CollectiveChecks", "Failures"]),
        tests("Watching", uses: ["CollectiveChecks", "Collectives", "Failures"]),
        tests("Tensors", uses: ["Randomness", "TestSupport"]),
        tests("Optimizers", uses: ["Collectives", "Tensors", "TestSupport"]),
        tests("Text", uses: ["Failures", "StrictJSON"]),
        tests("Preferences", uses: ["Failures", "StrictJSON", "Text"]),
        tests(
            "LanguageModels",
            uses: ["Failures", "ModelFiles", "Optimizers", "Randomness", "Tensors", "TestSupport"]
        ),
        tests(
            "ModelFiles",
            uses: ["Failures", "LanguageModels", "Randomness", "StrictJSON", "Tensors", "TestSupport", "Text"]
        ),
        tests("Training", uses: ["Collectives", "LanguageModels", "Optimizers", "Tensors"]),
        tests(
            "RewardMixture",
            uses: [
                "Collectives", "Failures", "LanguageModels", "Optimizers", "Preferences", "Randomness", "Tensors",
                "TestSupport",
            ],
            optimizedInDebug
        ),
        tests(
            "MaxMinPolicy",
            uses: ["Collectives", "Failures", "LanguageModels", "Optimizers", "Randomness", "Tensors", "TestSupport"]
        ),
        tests("Simulation", uses: ["Failures", "Preferences", "Randomness", "StrictJSON", "Text"]),
        tests("Evaluation", uses: ["Randomness", "Simulation"]),
        tests("Judging", uses: ["Failures"]),
        tests("Reporting", uses: ["Failures", "StrictJSON"]),
        tests(
            "Runs",
            uses: [
                "Collectives", "Evaluation", "Failures", "Judging", "LanguageModels", "MaxMinPolicy", "ModelFiles",
                "ModelTools", "Optimizers", "Preferences", "Randomness", "Reporting", "RewardMixture", "Simulation",
                "StrictJSON", "StrictYAML", "Tensors", "TestSupport", "Text", "Watching",
            ]
        ),
        tests("Launching", uses: ["StrictYAML", "TestSupport"]),
        tests("Benchmarks", uses: ["Collectives", "LanguageModels", "ModelFiles", "StrictJSON", "Tensors"]),
        tests(
            "ModelTools",
            uses: [
                "Failures", "LanguageModels", "ModelFiles", "Randomness", "Reporting", "StrictJSON", "Tensors",
                "TestSupport", "Text",
            ]
        ),
    ]
)

// Named by `launch/test.sh`, whose build without traits has the tests of some rooms alone.
if let rooms = Context.environment["MAXMIN_TESTED_ROOMS"]?.split(separator: " ") {
    package.targets.removeAll { target in target.type == .test && !rooms.contains { target.name == "\($0)Tests" } }
}
