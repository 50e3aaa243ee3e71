// Wingmirror · Apache-2.0

public import JSONSyntax

/// What a route table depends on besides the objects: the gateway workload and the mesh settings.
public struct RouteEnvironment: Sendable, Hashable {
    /// The namespace of the gateway's pods.
    public var namespace = "istio-system"
    /// The labels of the gateway's pods.
    public var labels = ["istio": "ingressgateway", "app": "istio-ingressgateway"]
    /// How many trusted proxies stand before the gateway.
    public var trustedProxies = 0
    /// Whether the gateway takes requests of HTTP/1.0, which it refuses with 426 unless istiod (`PILOT_HTTP10`) or the proxy
    /// (`ISTIO_META_HTTP10`) is told otherwise.
    public var takesHTTP10 = false
    /// Which server port a pod port carries, where Services do not say.
    public var ports: [GatewayPort] = []
    /// How the gateway normalises paths.
    public var pathNormalization = PathNormalization.base
    /// The visibility of VirtualServices that say nothing about it.
    public var defaultVirtualServiceExportTo = ["*"]
    /// The visibility of Services and ServiceEntries that say nothing about it; Istio's `defaultServiceExportTo`.
    public var defaultServiceExportTo = ["*"]
    /// The domain of cluster-internal names.
    public var clusterDomain = "cluster.local"
    /// The namespace of mesh-wide configuration.
    public var rootNamespace = "istio-system"
    /// The version of the gateway's proxy.
    public var envoyVersion = EnvoyVersion(major: 1, minor: 40)
    /// Which Ingresses count.
    public var ingress = IngressSettings()
    /// The control plane's revision; `nil` does not judge objects that are labelled with one.
    public var revision: String?
    /// The selectors of the namespaces that istiod looks at; none looks at all.
    public var discoverySelectors: [NamespaceSelector] = []
    /// Whether a Service, ServiceEntry or Namespace that is not among the objects does not exist, even where none of its kind is.
    public var holdsWholeCluster = false
    /// Whether a Gateway only selects pods of its own namespace.
    public var scopesGatewaysToNamespace = false

    /// Makes an environment with Istio's defaults.
    public init() {}

    /// The workload in words, which an upgrade of its chart does not change: ``identityText`` and its namespace.
    public var workload: String { "\(identityText) in \(namespace)" }

    /// The labels that tell the workload from others, in words.
    public var identityText: String { labels.ofWorkload.asText }

    /// Why the gateway does not see what istiod makes of a route of another kind, in words.
    var hidingDefault: String {
        let values = defaultVirtualServiceExportTo.joined(separator: ", ")
        return
            "is hidden from the gateway, whose pods run in \(namespace): istiod makes VirtualServices of it, for which "
            + "mesh.defaultVirtualServiceExportTo (\(values)) decides"
    }

    /// How the proxy rewrites paths.
    var pathNormalizer: PathNormalizer {
        PathNormalizer(
            mode: pathNormalization,
            ignoresDotParameters: envoyVersion >= EnvoyVersion(major: 1, minor: 40)
        )
    }

    /// Whether values of a repeated header are tested one by one; older proxies join them.
    var matchesHeaderLinesOneByOne: Bool {
        envoyVersion >= EnvoyVersion(major: 1, minor: 39)
    }
}

/// A condition on the labels of a namespace; Istio's `meshConfig.discoverySelectors`.
public struct NamespaceSelector: Sendable, Hashable {
    let selector: LabelSelector

    /// Reads `{matchLabels, matchExpressions}`.
    ///
    /// - Throws: the first field that does not fit.
    public init(_ value: JSONValue) throws(ResourceError) {
        selector = try LabelSelector(FieldReader(value))
    }
}

/// One pod port of the gateway and the server port that its traffic belongs to.
public struct GatewayPort: Sendable, Hashable {
    /// The port in the pod, which packets bear.
    public let pod: UInt16
    /// The port number that Gateway servers name.
    public let server: UInt16

    /// Makes a pair.
    public init(pod: UInt16, server: UInt16) {
        self.pod = pod
        self.server = server
    }
}

/// How the proxy rewrites paths before it matches them; Istio's `meshConfig.pathNormalization`.
public enum PathNormalization: String, Sendable, Hashable, CaseIterable {
    case none = "NONE"
    case base = "BASE"
    case mergeSlashes = "MERGE_SLASHES"
    case decodeAndMergeSlashes = "DECODE_AND_MERGE_SLASHES"

    /// Reads a setting; `DEFAULT` is `BASE`.
    public init?(setting: String) {
        let setting = setting.uppercased()
        if setting == "DEFAULT" {
            self = .base
        } else {
            self.init(rawValue: setting)
        }
    }
}

/// A version of Envoy, as far as behaviour depends on it.
public struct EnvoyVersion: Sendable, Hashable, Comparable {
    /// The major version.
    public let major: Int
    /// The minor version.
    public let minor: Int

    /// Makes a version.
    public init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads a text such as `1.40` or `1.40.2`.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) else { return nil }
        self.init(major: major, minor: minor)
    }

    /// Whether `first` is the older version.
    public static func < (first: EnvoyVersion, second: EnvoyVersion) -> Bool {
        (first.major, first.minor) < (second.major, second.minor)
    }
}

/// The mesh settings that decide which Ingresses count.
public struct IngressSettings: Sendable, Hashable {
    /// Whether Ingresses without a class count.
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        case off = "OFF"
        case strict = "STRICT"
        /// Istio's name for counting also those without a class.
        case byDefault = "DEFAULT"
    }

    /// Istio's `ingressControllerMode`.
    public var mode = Mode.strict
    /// Istio's `ingressClass`, compared with the annotation.
    public var className = "istio"
    /// The labels of the gateway that serves Ingresses.
    public var selector = ["istio": "ingressgateway"]

    /// Makes Istio's default settings.
    public init() {}
}
