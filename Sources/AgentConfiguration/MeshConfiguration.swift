// Wingmirror · Apache-2.0

import RouteAttribution

/// Settings of the mesh that change which rule takes a request; the words are those of Istio's `meshConfig`.
struct MeshConfiguration: Sendable, Equatable {
    /// How paths are normalised.
    var pathNormalization: PathNormalization = .base
    /// Where VirtualServices without `exportTo` are visible.
    var defaultVirtualServiceExportTo = ["*"]
    /// The domain that short service names are completed with.
    var clusterDomain = "cluster.local"
    /// The version of the gateway's proxy, as far as it changes what matches.
    var envoyVersion = EnvoyVersion(major: 1, minor: 40)
}

extension MeshConfiguration {
    /// Reads the section `mesh`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("pathNormalization", into: &pathNormalization, as: .pathNormalization)
        section.read(
            "defaultVirtualServiceExportTo",
            into: &defaultVirtualServiceExportTo,
            as: .list(of: .nonEmptyText("*, . or a namespace"))
        )
        section.read("clusterDomain", into: &clusterDomain, as: .nonEmptyText("a domain such as cluster.local"))
        section.read("envoyVersion", into: &envoyVersion, as: .envoyVersion)
    }
}

extension ConfigurationValue where Value == PathNormalization {
    /// One of the words of `meshConfig.pathNormalization.normalization`, `DEFAULT` among them.
    static var pathNormalization: Self {
        let words = PathNormalization.allCases.map(\.rawValue) + ["DEFAULT"]
        return ConfigurationValue<String>.text.map("one of \(words.joined(separator: ", "))") { word in
            words.contains(word) ? PathNormalization(setting: word) : nil
        }
    }
}

extension EnvoyVersion {
    /// The version as people write it.
    var text: String { "\(major).\(minor)" }
}

extension ConfigurationValue where Value == EnvoyVersion {
    /// A release of Envoy, in quotes, because YAML would take 1.40 for the number 1.4.
    static var envoyVersion: Self {
        ConfigurationValue<String>.text.map("a version in quotes, such as \"1.40\"") { EnvoyVersion($0) }
    }
}
