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

/// For the modules that a packet passes through.
///
/// Their generic and small functions can be compiled for the types of other modules and into them, which takes a tenth of
/// the instructions away. There is no setting for it but the flag.
let crossModule: [SwiftSetting] = [
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))
]
let packetPath = strict + crossModule
let packetPathWithLifetimes = strictWithLifetimes + crossModule

/// For the statistics of verdicts, whose tests simulate millions of votes.
///
/// Not optimised, they take a third of all tests' time.
/// What `assert` states is checked all the same.
let optimizedForTests: [SwiftSetting] = [
    .unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))
]

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
        // Without its default traits, which are swift-configuration and all of Foundation: that brings ICU.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // MARK: System libraries
        .systemLibrary(name: "CPcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CBrotli", providers: [.apt(["libbrotli-dev"])]),
        .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CMalloc"),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),

        // MARK: Calls that Swift cannot make
        .target(name: "CProcess"),
        .target(name: "ChildProcesses", dependencies: ["CProcess"], swiftSettings: strict),

        // MARK: Calls of the BoringSSL in swift-crypto
        .target(name: "CRecordAEAD", dependencies: [.product(name: "Crypto", package: "swift-crypto")]),

        // MARK: Embedded files
        .target(name: "CPageAssets", exclude: ["Page"]),

        // MARK: Vector instructions
        .target(name: "COctetScanning"),

        // MARK: The pure middle
        .target(name: "OctetText", swiftSettings: packetPathWithLifetimes),
        .target(name: "JSONSyntax", dependencies: ["OctetText"], swiftSettings: strict),
        .target(name: "PacketDecoding", dependencies: ["OctetText"], swiftSettings: packetPathWithLifetimes),
        .target(name: "TCPReassembly", dependencies: ["PacketDecoding"], swiftSettings: packetPath),
        .target(
            name: "TLSDecryption",
            dependencies: [
                "CRecordAEAD", "PacketDecoding", "TCPReassembly",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: packetPathWithLifetimes
        ),
        .target(name: "TrafficModel", dependencies: ["OctetText"], swiftSettings: packetPathWithLifetimes),
        .target(
            name: "HTTPReconstruction",
            dependencies: ["COctetScanning", "OctetText", "PacketDecoding", "TCPReassembly", "TrafficModel"],
            swiftSettings: packetPathWithLifetimes
        ),
        .target(
            name: "RouteAttribution",
            dependencies: ["COctetScanning", "CRE2", "JSONSyntax", "OctetText", "TrafficModel"],
            swiftSettings: packetPathWithLifetimes
        ),
        .target(
            name: "TrafficMetrics",
            dependencies: ["OctetText", "TrafficModel"],
            swiftSettings: packetPathWithLifetimes
        ),
        .target(
            name: "Redaction",
            dependencies: ["JSONSyntax", "OctetText", "TrafficModel"],
            swiftSettings: strictWithLifetimes
        ),
        .target(
            name: "AnswerComparison",
            dependencies: ["JSONSyntax", "OctetText", "TrafficModel"],
            swiftSettings: strictWithLifetimes + optimizedForTests
        ),
        .target(
            name: "ShadowTesting",
            dependencies: ["AnswerComparison", "OctetText", "Redaction", "TrafficModel"],
            swiftSettings: strictWithLifetimes
        ),
        .target(
            name: "Recordings",
            dependencies: ["HTTPReconstruction", "JSONSyntax", "OctetText", "Redaction", "TrafficModel"],
            swiftSettings: strictWithLifetimes
        ),
        .target(
            name: "TrafficPipeline",
            dependencies: [
                "HTTPReconstruction", "JSONSyntax", "OctetText", "PacketDecoding", "Redaction", "RouteAttribution",
                "ShadowTesting", "TCPReassembly", "TLSDecryption", "TrafficMetrics", "TrafficModel",
            ],
            swiftSettings: packetPathWithLifetimes
        ),

        // MARK: Adapters
        .target(
            name: "PacketCapture",
            dependencies: ["CPcap", "CZlib", "PacketDecoding"],
            swiftSettings: packetPathWithLifetimes
        ),
        .target(
            name: "ResourceFiles",
            dependencies: ["JSONSyntax", "YAMLSyntax"],
            swiftSettings: strict
        ),
        .target(name: "YAMLSyntax", dependencies: ["CYAML"], swiftSettings: strict),
        .target(name: "ContentDecoding", dependencies: ["CBrotli", "CZlib"], swiftSettings: strict),
        .target(
            name: "MirrorDispatch",
            dependencies: [
                "AnswerComparison", "OctetText", "Redaction", "ShadowTesting", "TrafficModel",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "KubernetesObjects",
            dependencies: [
                "JSONSyntax",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "AdminServer",
            dependencies: [
                "CPageAssets", "CZlib", "OctetText", "PacketDecoding",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        // MARK: The agent and its commands
        .target(
            name: "AgentConfiguration",
            dependencies: [
                "AdminServer", "AnswerComparison", "HTTPReconstruction", "JSONSyntax", "OctetText", "PacketCapture",
                "PacketDecoding", "RouteAttribution", "ShadowTesting", "TCPReassembly", "TLSDecryption",
                "TrafficMetrics", "TrafficModel", "TrafficPipeline", "YAMLSyntax",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Agent",
            dependencies: [
                "AdminServer", "AgentConfiguration", "AnswerComparison", "CMalloc", "CProcess", "ChildProcesses",
                "ContentDecoding", "HTTPReconstruction", "JSONSyntax", "KubernetesObjects", "MirrorDispatch",
                "OctetText", "PacketCapture",
                "PacketDecoding", "Redaction", "ResourceFiles", "RouteAttribution", "ShadowTesting", "TCPReassembly",
                "TLSDecryption", "TrafficMetrics", "TrafficModel", "TrafficPipeline",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strictWithLifetimes
        ),
        .target(
            name: "AgentCommands",
            dependencies: [
                "AdminServer", "Agent", "AgentConfiguration", "AnswerComparison", "ContentDecoding",
                "HTTPReconstruction", "JSONSyntax", "KubernetesObjects", "MirrorDispatch", "OctetText", "PacketCapture",
                "PacketDecoding", "Recordings", "Redaction", "ResourceFiles", "RouteAttribution", "ShadowTesting",
                "TCPReassembly", "TLSDecryption", "TrafficMetrics", "TrafficModel", "TrafficPipeline",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strictWithLifetimes
        ),
        .executableTarget(name: "wingmirror", dependencies: ["AgentCommands"], swiftSettings: strict),
        .target(name: "CAllocationCounter"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "CAllocationCounter", "CPcap", "HTTPReconstruction", "JSONSyntax", "PacketCapture", "PacketDecoding",
                "Redaction",
                "RouteAttribution", "TCPReassembly", "TestSupport", "TrafficMetrics", "TrafficModel", "TrafficPipeline",
            ],
            swiftSettings: strictWithLifetimes
        ),

        .executableTarget(
            name: "MetricsPage",
            dependencies: [
                "AnswerComparison", "HTTPReconstruction", "KubernetesObjects", "PacketCapture", "PacketDecoding",
                "RouteAttribution", "ShadowTesting", "TCPReassembly", "TrafficMetrics", "TrafficModel",
                "TrafficPipeline",
            ],
            swiftSettings: strictWithLifetimes
        ),

        // MARK: Fuzzing
        .target(name: "CFuzzer"),
        .target(
            name: "Fuzzing",
            dependencies: [
                "CFuzzer", "HTTPReconstruction", "JSONSyntax", "OctetText", "PacketCapture", "PacketDecoding",
                "Recordings", "Redaction", "ResourceFiles", "RouteAttribution", "TCPReassembly", "TLSDecryption",
                "TestSupport",
                "TrafficModel",
            ],
            swiftSettings: strictWithLifetimes
        ),
        .executableTarget(name: "Fuzz", dependencies: ["CFuzzer", "Fuzzing"], swiftSettings: strict),

        // MARK: Tests
        .target(name: "TestSupport", dependencies: ["ChildProcesses", "PacketDecoding"], swiftSettings: strict),
        .target(name: "TestTraits", dependencies: ["TestSupport"], swiftSettings: strict),
        .target(
            name: "TestServers",
            dependencies: [
                "ChildProcesses", "JSONSyntax",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KubernetesObjectsTests",
            dependencies: [
                "JSONSyntax", "KubernetesObjects", "OctetText", "TestServers", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "FuzzingTests",
            dependencies: ["Fuzzing", "OctetText", "TestSupport", "TestTraits"],
            exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PacketDecodingTests",
            dependencies: ["OctetText", "PacketDecoding", "TestSupport"],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "TCPReassemblyTests",
            dependencies: ["OctetText", "PacketDecoding", "TCPReassembly", "TestSupport", "TestTraits"],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "TLSDecryptionTests",
            dependencies: ["OctetText", "PacketDecoding", "TCPReassembly", "TLSDecryption", "TestSupport"],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "HTTPReconstructionTests",
            dependencies: [
                "COctetScanning", "HTTPReconstruction", "OctetText", "PacketDecoding", "TCPReassembly", "TestTraits",
                "TrafficModel",
            ],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "RouteAttributionTests",
            dependencies: [
                "JSONSyntax", "OctetText", "ResourceFiles", "RouteAttribution", "TestSupport", "TrafficModel",
            ],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "JSONSyntaxTests",
            dependencies: ["JSONSyntax", "OctetText", "TestSupport"],
            exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(name: "OctetTextTests", dependencies: ["OctetText"], swiftSettings: strictWithLifetimes),
        .testTarget(
            name: "TrafficModelTests",
            dependencies: ["TrafficModel"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "TrafficMetricsTests",
            dependencies: ["OctetText", "TestSupport", "TrafficMetrics", "TrafficModel"],
            exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RedactionTests",
            dependencies: ["OctetText", "Redaction"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "AnswerComparisonTests",
            dependencies: ["AnswerComparison", "JSONSyntax", "OctetText", "TestTraits", "TrafficModel"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "ShadowTestingTests",
            dependencies: ["AnswerComparison", "OctetText", "Redaction", "ShadowTesting", "TrafficModel"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "RecordingsTests",
            dependencies: [
                "HTTPReconstruction", "JSONSyntax", "OctetText", "Recordings", "TestSupport", "TrafficModel",
            ],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(name: "YAMLSyntaxTests", dependencies: ["YAMLSyntax"], swiftSettings: strict),
        .testTarget(name: "ContentDecodingTests", dependencies: ["ContentDecoding"], swiftSettings: strict),
        .testTarget(
            name: "MirrorDispatchTests",
            dependencies: [
                "AnswerComparison", "ChildProcesses", "MirrorDispatch", "Redaction", "ShadowTesting", "TestServers",
                "TestSupport", "TrafficModel",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "TrafficPipelineTests",
            dependencies: [
                "HTTPReconstruction", "JSONSyntax", "OctetText", "PacketCapture", "PacketDecoding", "Recordings",
                "Redaction", "ResourceFiles", "RouteAttribution", "ShadowTesting", "TCPReassembly", "TLSDecryption",
                "TestSupport", "TestTraits", "TrafficMetrics", "TrafficModel", "TrafficPipeline",
            ],
            exclude: ["Fixtures"],
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
            dependencies: ["JSONSyntax", "ResourceFiles", "RouteAttribution", "TestSupport"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "AdminServerTests",
            dependencies: [
                "AdminServer", "CZlib", "TestServers", "TestSupport",
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "BenchmarksTests",
            dependencies: ["TestSupport"],
            exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AgentConfigurationTests",
            dependencies: [
                "AdminServer", "AgentConfiguration", "AnswerComparison", "HTTPReconstruction", "JSONSyntax",
                "PacketDecoding", "RouteAttribution", "ShadowTesting", "TCPReassembly", "TLSDecryption", "TestSupport",
                "TrafficModel", "TrafficPipeline", "YAMLSyntax",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "AgentTests",
            dependencies: [
                "AdminServer", "Agent", "AgentConfiguration", "ChildProcesses", "HTTPReconstruction", "JSONSyntax",
                "KubernetesObjects", "MirrorDispatch", "OctetText", "PacketCapture", "PacketDecoding", "ResourceFiles",
                "RouteAttribution", "ShadowTesting", "TCPReassembly", "TLSDecryption",
                "TestServers", "TestSupport", "TrafficMetrics", "TrafficModel", "TrafficPipeline",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
        .testTarget(
            name: "DocumentationTests",
            dependencies: [
                "AgentConfiguration", "AnswerComparison", "JSONSyntax", "ShadowTesting", "TestSupport",
                "TrafficMetrics", "TrafficModel",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AgentCommandsTests",
            dependencies: [
                "Agent", "AgentCommands", "AgentConfiguration", "AnswerComparison", "HTTPReconstruction", "JSONSyntax",
                "KubernetesObjects", "MetricsPage", "OctetText", "PacketCapture", "PacketDecoding", "Recordings",
                "Redaction", "ResourceFiles", "RouteAttribution", "ShadowTesting", "TCPReassembly", "TLSDecryption",
                "TestServers", "TestSupport", "TrafficMetrics", "TrafficModel", "TrafficPipeline",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Fixtures"],
            swiftSettings: strictWithLifetimes
        ),
    ],
    cxxLanguageStandard: .cxx17
)
