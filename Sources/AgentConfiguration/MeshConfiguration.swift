// Wingmirror · Apache-2.0

import JSONSyntax
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
    /// The control plane's revision; empty does not judge objects that are labelled with one.
    var revision = ""
    /// The namespace of Istio, where the mesh configuration is; the mesh may name another as its root namespace.
    var rootNamespace = "istio-system"
    /// Whether a Gateway only selects pods of its own namespace.
    var scopeGatewayToNamespace = false
    /// The selectors of the namespaces that istiod looks at; none looks at all.
    var discoverySelectors: [DiscoverySelector] = []
    /// The settings that the file has: these win over what the mesh says of itself.
    var chosen: Set<String> = []

    /// Whether both say the same; how one came to say it (``chosen``) is no part of that.
    static func == (left: Self, right: Self) -> Bool {
        left.pathNormalization == right.pathNormalization
            && left.defaultVirtualServiceExportTo == right.defaultVirtualServiceExportTo
            && left.clusterDomain == right.clusterDomain && left.envoyVersion == right.envoyVersion
            && left.revision == right.revision && left.rootNamespace == right.rootNamespace
            && left.scopeGatewayToNamespace == right.scopeGatewayToNamespace
            && left.discoverySelectors == right.discoverySelectors
    }
}

/// A condition on the labels of a namespace, as `meshConfig.discoverySelectors` writes it.
struct DiscoverySelector: Sendable, Equatable {
    /// One entry of `matchExpressions`.
    struct Expression: Sendable, Equatable {
        var key = ""
        var condition = ""
        var values: [String] = []
    }

    var labels: [String: String] = [:]
    var expressions: [Expression] = []

    /// The selector in the shape of the file.
    var document: JSONValue {
        [
            "matchLabels": JSONValue(labels.mapValues(JSONValue.string)),
            "matchExpressions": .array(
                expressions.map {
                    ["key": .string($0.key), "operator": .string($0.condition), "values": JSONValue($0.values)]
                }
            ),
        ]
    }
}

extension DiscoverySelector {
    /// Reads one entry of the list.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("matchLabels", into: &labels, as: .textByKey(such: "{istio-discovery: enabled}"))
        section.sections("matchExpressions") { entry in
            var expression = Expression()
            entry.require("key", into: &expression.key, as: .nonEmptyText("the name of a label"))
            entry.require(
                "operator",
                into: &expression.condition,
                as: .nonEmptyText("In, NotIn, Exists or DoesNotExist")
            )
            entry.read("values", into: &expression.values, as: .list(of: .text))
            expressions.append(expression)
        }
    }
}

extension MeshConfiguration {
    /// Reads the section `mesh`.
    init(_ section: ConfigurationSection) {
        self.init()
        chosen = Set(
            ["pathNormalization", "defaultVirtualServiceExportTo", "discoverySelectors"].filter(section.has)
        )
        section.read("pathNormalization", into: &pathNormalization, as: .pathNormalization)
        section.read(
            "defaultVirtualServiceExportTo",
            into: &defaultVirtualServiceExportTo,
            as: .list(of: .nonEmptyText("*, . or a namespace"))
        )
        section.read("clusterDomain", into: &clusterDomain, as: .nonEmptyText("a domain such as cluster.local"))
        section.read("envoyVersion", into: &envoyVersion, as: .envoyVersion)
        section.read("revision", into: &revision, as: .text)
        section.read("rootNamespace", into: &rootNamespace, as: .nonEmptyText("a namespace"))
        section.read("scopeGatewayToNamespace", into: &scopeGatewayToNamespace, as: .flag)
        section.sections("discoverySelectors") { discoverySelectors.append(DiscoverySelector($0)) }
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

extension Configuration {
    /// Whether the file has a setting of the section `mesh`, so that it wins over what the mesh says of itself.
    package func choosesMesh(_ key: String) -> Bool { mesh.chosen.contains(key) }
}
