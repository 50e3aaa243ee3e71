// swift-tools-version: 6.2
// Wingmirror · Apache-2.0

import PackageDescription

/// What every target of ours is compiled with: the strict language modes, so that what the compiler can check it does.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// For targets whose types carry a span: lifetime annotations are still behind an experimental flag.
let strictWithLifetimes = strict + [.enableExperimentalFeature("Lifetimes")]

let package = Package(
    name: "wingmirror",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "wingmirror", targets: ["wingmirror"]),
        .executable(name: "Benchmarks", targets: ["Benchmarks"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // MARK: System libraries
        .systemLibrary(name: "CPcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),

        // MARK: Embedded files
        .target(name: "CPageAssets", exclude: ["Page"]),

        // MARK: The pure middle
        .target(name: "JSONSyntax", swiftSettings: strict),
        .target(name: "PacketDecoding", swiftSettings: strictWithLifetimes),
        .target(name: "TCPReassembly", dependencies: ["PacketDecoding"], swiftSettings: strict),
        .target(name: "HTTPMessages", swiftSettings: strictWithLifetimes),
        .target(
            name: "HTTPReconstruction",
            dependencies: ["HTTPMessages", "PacketDecoding", "TCPReassembly"],
            swiftSettings: strictWithLifetimes
        ),
        .target(
            name: "RouteAttribution",
            dependencies: ["CRE2", "HTTPMessages", "JSONSyntax"],
            swiftSettings: strictWithLifetimes
        ),
        .target(name: "TrafficMetrics", dependencies: ["HTTPMessages"], swiftSettings: strictWithLifetimes),
        .target(
            name: "ShadowTesting",
            dependencies: ["HTTPMessages", "JSONSyntax"],
            swiftSettings: strictWithLifetimes
        ),
        .target(
            name: "Recordings",
            dependencies: ["HTTPMessages", "HTTPReconstruction", "JSONSyntax", "ShadowTesting"],
            swiftSettings: strictWithLifetimes
        ),
        .target(
            name: "TrafficPipeline",
            dependencies: [
                "HTTPMessages", "HTTPReconstruction", "JSONSyntax", "PacketDecoding", "Recordings", "RouteAttribution",
                "ShadowTesting", "TCPReassembly", "TrafficMetrics",
            ],
            swiftSettings: strictWithLifetimes
        ),

        // MARK: Adapters
        .target(
            name: "PacketCapture",
            dependencies: ["CPcap", "CZlib", "PacketDecoding"],
            swiftSettings: strictWithLifetimes
        ),
        .target(
            name: "ResourceFiles",
            dependencies: ["JSONSyntax", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict
        ),
        .target(name: "ContentDecoding", dependencies: ["CZlib"], swiftSettings: strict),
        .target(
            name: "MirrorDispatch",
            dependencies: [
                "JSONSyntax", "ShadowTesting",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "AdminServer",
            dependencies: [
                "CPageAssets", "CZlib",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        // MARK: The agent and its commands
        .target(
            name: "AgentConfiguration",
            dependencies: [
                "AdminServer", "HTTPReconstruction", "JSONSyntax", "PacketCapture", "PacketDecoding",
                "RouteAttribution", "ShadowTesting", "TCPReassembly", "TrafficMetrics", "TrafficPipeline",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Agent",
            dependencies: [
                "AdminServer", "AgentConfiguration", "ContentDecoding", "HTTPMessages", "HTTPReconstruction",
                "JSONSyntax", "MirrorDispatch", "PacketCapture", "PacketDecoding", "ResourceFiles", "RouteAttribution",
                "ShadowTesting", "TCPReassembly", "TrafficMetrics", "TrafficPipeline",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strictWithLifetimes
        ),
        .target(
            name: "AgentCommands",
            dependencies: [
                "AdminServer", "Agent", "AgentConfiguration", "ContentDecoding", "HTTPMessages", "HTTPReconstruction",
                "JSONSyntax", "MirrorDispatch", "PacketCapture", "PacketDecoding", "Recordings", "ResourceFiles",
                "RouteAttribution", "ShadowTesting", "TCPReassembly", "TrafficMetrics", "TrafficPipeline",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strictWithLifetimes
        ),
        .executableTarget(name: "wingmirror", dependencies: ["AgentCommands"], swiftSettings: strict),
        .target(name: "CAllocationCounter"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "CAllocationCounter", "CPcap", "HTTPMessages", "HTTPReconstruction", "PacketCapture", "PacketDecoding",
                "RouteAttribution", "TCPReassembly", "TestSupport", "TrafficMetrics", "TrafficPipeline",
            ],
            swiftSettings: strictWithLifetimes
        ),

        .executableTarget(
            name: "MetricsPage",
            dependencies: [
                "HTTPReconstruction", "PacketCapture", "PacketDecoding", "RouteAttribution", "ShadowTesting",
                "TCPReassembly", "TrafficMetrics",
            ],
            swiftSettings: strictWithLifetimes
        ),

        // MARK: Tests
        .target(name: "TestSupport", dependencies: ["PacketDecoding"], swiftSettings: strict),
        .testTarget(
            name: "PacketDecodingTests",
            dependencies: ["PacketDecoding", "TestSupport"],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "TCPReassemblyTests",
            dependencies: ["PacketDecoding", "TCPReassembly"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "HTTPReconstructionTests",
            dependencies: ["HTTPMessages", "HTTPReconstruction", "PacketDecoding", "TCPReassembly"],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "RouteAttributionTests",
            dependencies: ["HTTPMessages", "JSONSyntax", "ResourceFiles", "RouteAttribution"],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "JSONSyntaxTests",
            dependencies: ["JSONSyntax", "TestSupport"],
            exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "TrafficMetricsTests",
            dependencies: ["HTTPMessages", "TrafficMetrics"],
            exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ShadowTestingTests",
            dependencies: ["HTTPMessages", "JSONSyntax", "ShadowTesting"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "RecordingsTests",
            dependencies: [
                "HTTPMessages", "HTTPReconstruction", "JSONSyntax", "Recordings", "ShadowTesting", "TestSupport",
            ],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(name: "ContentDecodingTests", dependencies: ["ContentDecoding"], swiftSettings: strict),
        .testTarget(
            name: "MirrorDispatchTests",
            dependencies: [
                "JSONSyntax", "MirrorDispatch", "ShadowTesting", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "TrafficPipelineTests",
            dependencies: [
                "HTTPMessages", "JSONSyntax", "PacketCapture", "PacketDecoding", "ResourceFiles", "RouteAttribution",
                "ShadowTesting", "TestSupport", "TrafficMetrics", "TrafficPipeline",
            ],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "PacketCaptureTests",
            dependencies: ["PacketCapture", "PacketDecoding", "TestSupport"],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "ResourceFilesTests",
            dependencies: ["JSONSyntax", "ResourceFiles", "RouteAttribution"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "AdminServerTests",
            dependencies: [
                "AdminServer", "CZlib", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "BenchmarksTests", exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "AgentConfigurationTests",
            dependencies: [
                "AgentConfiguration", "HTTPMessages", "JSONSyntax", "PacketCapture", "PacketDecoding",
                "RouteAttribution", "ShadowTesting", "TCPReassembly", "TestSupport", "TrafficMetrics",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "AgentTests",
            dependencies: [
                "AdminServer", "Agent", "AgentConfiguration", "JSONSyntax", "PacketCapture", "RouteAttribution",
                "TestSupport", "TrafficMetrics", "TrafficPipeline",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "DocumentationTests",
            dependencies: ["JSONSyntax", "ShadowTesting", "TrafficMetrics"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AgentCommandsTests",
            dependencies: [
                "AdminServer", "Agent", "AgentCommands", "AgentConfiguration", "HTTPMessages", "JSONSyntax",
                "MetricsPage", "MirrorDispatch", "PacketDecoding", "Recordings", "RouteAttribution", "ShadowTesting",
                "TCPReassembly", "TestSupport", "TrafficMetrics",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strictWithLifetimes
        ),
    ],
    cxxLanguageStandard: .cxx17
)
