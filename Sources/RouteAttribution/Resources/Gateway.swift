// Wingmirror · Apache-2.0

/// An Istio Gateway, or what istiod makes of listeners of other kinds.
struct Gateway: Sendable, Hashable {
    /// Name, namespace and age.
    var metadata: ObjectMetadata
    /// The labels a gateway pod must bear; none selects every gateway.
    var selector: [String: String]
    /// The servers in order.
    var servers: [Server]
    /// What users wrote to bring this object about.
    var origin: ObjectIdentity
    /// Whether istiod made it, so that validation does not apply.
    var isGenerated = false
    /// For one of the Gateway API: its own Services, as `namespace/name`, through which alone its ports lead to pods; empty
    /// where none is known.
    var services: [String] = []

    /// One listening port of a Gateway.
    struct Server: Sendable, Hashable {
        /// The port number; `nil` without a port.
        var port: Int?
        var portName = ""
        var protocolName = ""
        var targetPort: Int?
        var hasPort = true
        var hosts: [String] = []
        var bind = ""
        var name = ""
        var tls: TLSSettings?
        /// The field of the origin that the server was made of; empty for one of `spec.servers`.
        var place = ""
    }

    /// The TLS settings of a server.
    struct TLSSettings: Sendable, Hashable {
        var mode = "PASSTHROUGH"
        var httpsRedirect = false
        var credentialName = ""
        var credentialNames: [String] = []
        var serverCertificate = ""
        var privateKey = ""
        var caCertificates = ""
        var certificateRevocationList = ""
        /// For each entry of `tlsCertificates` whether it has both certificate and key.
        var tlsCertificates: [Bool] = []
    }

    /// `namespace/name`.
    var reference: String { "\(metadata.namespace)/\(metadata.name)" }

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: true)
        origin = ObjectIdentity(kind: "Gateway", namespace: metadata.namespace, name: metadata.name)
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        selector = try spec.stringMap("selector")
        servers = try spec.list("servers") { entry throws(ResourceError) in try Server(entry) }
    }

    /// Makes an object that stands for listeners of another kind.
    init(metadata: ObjectMetadata, selector: [String: String], servers: [Server], origin: ObjectIdentity) {
        self.metadata = metadata
        self.selector = selector
        self.servers = servers
        self.origin = origin
        isGenerated = true
    }
}

extension Gateway.Server {
    init(_ reader: FieldReader) throws(ResourceError) {
        self.init()
        if let port = try reader.field("port") {
            self.port = try port.integer("number")
            portName = try port.string("name") ?? ""
            protocolName = try port.string("protocol") ?? ""
            targetPort = try port.integer("targetPort")
        } else {
            hasPort = false
        }
        hosts = try reader.strings("hosts")
        bind = try reader.string("bind") ?? ""
        name = try reader.string("name") ?? ""
        tls = try reader.object("tls") { field throws(ResourceError) in try Gateway.TLSSettings(field) }
    }

    /// With what `bind` begins where a server listens on a Unix socket, and so on no port.
    static let unixPrefix = "unix://"

    /// Whether the server listens on a Unix socket.
    var isUnixSocket: Bool { bind.hasPrefix(Self.unixPrefix) }

    /// What kind of traffic the protocol and the TLS settings give.
    enum Traffic {
        case plainHTTP
        case terminatedHTTP
        /// TLS that carries no HTTP routing: passed through, or ended for other protocols.
        case opaqueTLS
        case plainTCP
    }

    var traffic: Traffic {
        switch protocolName.uppercased() {
        case "HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY": .plainHTTP
        case "HTTPS" where tls?.endsTLS == true: .terminatedHTTP
        default: tls == nil ? .plainTCP : .opaqueTLS
        }
    }
}

extension Gateway.TLSSettings {
    init(_ reader: FieldReader) throws(ResourceError) {
        self.init()
        mode = try reader.string("mode") ?? "PASSTHROUGH"
        httpsRedirect = try reader.bool("httpsRedirect") ?? false
        credentialName = try reader.string("credentialName") ?? ""
        credentialNames = try reader.strings("credentialNames")
        serverCertificate = try reader.string("serverCertificate") ?? ""
        privateKey = try reader.string("privateKey") ?? ""
        caCertificates = try reader.string("caCertificates") ?? ""
        certificateRevocationList = try reader.string("caCrl") ?? ""
        tlsCertificates = try reader.list("tlsCertificates") { entry throws(ResourceError) in
            try entry.requireObject()
            let certificate = try entry.string("serverCertificate") ?? ""
            let key = try entry.string("privateKey") ?? ""
            return !certificate.isEmpty && !key.isEmpty
        }
    }

    /// Whether anything says which certificates are used.
    var namesCertificates: Bool {
        !credentialName.isEmpty || !credentialNames.isEmpty || !serverCertificate.isEmpty || !privateKey.isEmpty
            || !caCertificates.isEmpty || !tlsCertificates.isEmpty
    }

    /// Whether the gateway ends TLS, so that it sees what is inside.
    var endsTLS: Bool {
        ["SIMPLE", "MUTUAL", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"].contains(mode)
    }
}
