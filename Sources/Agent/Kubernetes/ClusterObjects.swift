// Wingmirror · Apache-2.0

import AgentConfiguration
import JSONSyntax
import ResourceFiles
import RouteAttribution

/// What is known of a cluster at one time.
package struct ClusterObjects: Sendable {
    /// The objects of which routes are made.
    var objects: [JSONValue] = []
    /// The pods of this node.
    var pods: [JSONValue] = []
    /// Istio's mesh configuration, if it is there.
    var mesh: MeshSettings?
    /// Whether the objects come from a file that an earlier run has left.
    var isSaved = false
    /// The kinds that may not be read.
    package var refusedKinds: [String] = []

    /// The objects as those of files are taken; they come from no file.
    var located: [LocatedObject] {
        objects.map { LocatedObject(value: $0, location: nil) }
    }
}

/// Istio's mesh configuration, as far as it changes which rule takes a request: the key `mesh` of the ConfigMap `istio`.
struct MeshSettings: Sendable, Hashable {
    private let mesh: JSONValue

    /// Reads a ConfigMap; `nil` where it holds no mesh configuration that can be read.
    init?(configMap: JSONValue) {
        guard let text = configMap["data"]?["mesh"]?.stringValue,
            let document = try? YAMLDocuments.parse(text).first, case .object = document.value
        else { return nil }
        mesh = document.value
    }

    /// Takes over what the mesh says, but for what the agent's own configuration says.
    func apply(to environment: inout RouteEnvironment, under configuration: Configuration) {
        if !configuration.choosesMesh("pathNormalization"),
            let word = mesh["pathNormalization"]?["normalization"]?.stringValue,
            let normalization = PathNormalization(setting: word)
        {
            environment.pathNormalization = normalization
        }
        if !configuration.choosesMesh("defaultVirtualServiceExportTo"),
            let places = mesh["defaultVirtualServiceExportTo"]?.arrayValue?.compactMap(\.stringValue), !places.isEmpty
        {
            environment.defaultVirtualServiceExportTo = places
        }
        if !configuration.choosesMesh("discoverySelectors"), let selectors = mesh["discoverySelectors"]?.arrayValue {
            environment.discoverySelectors = selectors.compactMap { try? NamespaceSelector($0) }
        }
        if !configuration.gateway.namesTrustedProxies,
            let topology = mesh["defaultConfig"]?["gatewayTopology"],
            case .integer(let number) = topology["numTrustedProxies"] ?? .null, (0...100).contains(number)
        {
            environment.trustedProxies = number
        }
        if let namespace = mesh["rootNamespace"]?.stringValue, !namespace.isEmpty {
            environment.rootNamespace = namespace
        }
        if let word = mesh["ingressControllerMode"]?.stringValue, let mode = IngressSettings.Mode(rawValue: word) {
            environment.ingress.mode = mode
        }
        if let name = mesh["ingressClass"]?.stringValue, !name.isEmpty { environment.ingress.className = name }
        if let name = mesh["ingressSelector"]?.stringValue, !name.isEmpty {
            environment.ingress.selector = ["istio": name]
        }
    }
}
