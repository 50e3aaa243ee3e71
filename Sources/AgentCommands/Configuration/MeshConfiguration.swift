// Wingmirror · Apache-2.0

/// Settings of the mesh that change which rule takes a request; the words are those of Istio's `meshConfig`.
struct MeshConfiguration: Sendable, Equatable {
    /// How the gateway normalises paths before it matches them (`meshConfig.pathNormalization.normalization`).
    enum PathNormalization: String, Sendable, CaseIterable {
        /// Paths are matched as sent.
        case none = "NONE"
        /// Istio's default: dot segments are resolved and unreserved characters decoded.
        case base = "BASE"
        /// The same as `BASE`, in the word Istio uses for "not set".
        case `default` = "DEFAULT"
        /// Then runs of slashes become one.
        case mergeSlashes = "MERGE_SLASHES"
        /// First escaped slashes are decoded.
        case decodeAndMergeSlashes = "DECODE_AND_MERGE_SLASHES"
    }

    /// How paths are normalised.
    var pathNormalization: PathNormalization = .base
    /// Where VirtualServices without `exportTo` are visible.
    var defaultVirtualServiceExportTo = ["*"]
    /// The domain that short service names are completed with.
    var clusterDomain = "cluster.local"
    /// The version of the gateway's proxy, as far as it changes what matches.
    var envoyVersion = EnvoyVersion(major: 1, minor: 40)
}

/// A release line of Envoy, such as 1.40.
struct EnvoyVersion: Sendable, Hashable, Comparable {
    /// The first number.
    var major: Int
    /// The second number.
    var minor: Int

    /// Whether `left` is the older release.
    static func < (left: EnvoyVersion, right: EnvoyVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}

extension EnvoyVersion: CustomStringConvertible {
    /// The version as people write it.
    var description: String { "\(major).\(minor)" }

    /// Reads `1.40` or `1.40.2`; `nil` for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt16(decimal: $0) }
        guard (2...3).contains(parts.count), !parts.contains(nil), let major = parts[0], let minor = parts[1] else {
            return nil
        }
        self.init(major: Int(major), minor: Int(minor))
    }
}

extension MeshConfiguration {
    /// Reads the section `mesh`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("pathNormalization", into: &pathNormalization, as: .oneOf(PathNormalization.self))
        section.read(
            "defaultVirtualServiceExportTo",
            into: &defaultVirtualServiceExportTo,
            as: .list(of: .nonEmptyText("*, . or a namespace"))
        )
        section.read("clusterDomain", into: &clusterDomain, as: .nonEmptyText("a domain such as cluster.local"))
        section.read("envoyVersion", into: &envoyVersion, as: .envoyVersion)
    }
}

extension ConfigurationValue where Value == EnvoyVersion {
    /// A release of Envoy, in quotes, because YAML would take 1.40 for the number 1.4.
    static var envoyVersion: Self {
        ConfigurationValue<String>.text.map("a version in quotes, such as \"1.40\"", EnvoyVersion.init)
    }
}
