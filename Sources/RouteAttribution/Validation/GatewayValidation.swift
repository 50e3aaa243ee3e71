// Wingmirror · Apache-2.0
// Istio's admission of Gateways: istio pkg/config/validation/validation.go ValidateGateway.

/// Checks one Gateway.
struct GatewayValidation {
    private(set) var problems = ProblemList()

    private static let protocols: Set<String> = [
        "TCP", "UDP", "GRPC", "GRPC-WEB", "HTTP", "HTTP_PROXY", "HTTP2", "HTTPS", "TLS", "MONGO", "REDIS", "MYSQL",
        "HBONE",
    ]

    init(_ gateway: Gateway) {
        problems.require(
            NameChecks.isLabel(gateway.metadata.name),
            FieldPath.root.member("metadata").member("name"),
            "must be a DNS label"
        )
        let path = FieldPath.root.member("spec").member("servers")
        problems.require(!gateway.servers.isEmpty, path, "is missing")
        var portNames: Set<String> = []
        for (index, server) in gateway.servers.enumerated() {
            let place = path.element(index)
            check(server, at: place)
            if !server.portName.isEmpty, !portNames.insert(server.portName).inserted {
                problems.add(place.member("port").member("name"), "is used by another server of the Gateway")
            }
        }
    }

    private mutating func check(_ server: Gateway.Server, at place: FieldPath) {
        let port = place.member("port")
        if server.hasPort {
            problems.require(!server.portName.isEmpty, port.member("name"), "is missing")
            if server.isUnixSocket {
                problems.require(server.port ?? 0 == 0, port.member("number"), "must be 0 for a Unix socket")
            } else {
                SharedChecks.port(server.port ?? 0, at: port.member("number"), &problems)
            }
            problems.require(
                Self.protocols.contains(server.protocolName.uppercased()),
                port.member("protocol"),
                "must be a known protocol, not \(server.protocolName)"
            )
            problems.require(server.targetPort ?? 0 == 0, port.member("targetPort"), "must not be set")
        } else {
            problems.add(port, "is missing")
        }
        if server.isUnixSocket {
            let path = server.bind.dropFirst(Gateway.Server.unixPrefix.count)
            problems.require(
                path.hasPrefix("/") || path.hasPrefix("@"),
                place.member("bind"),
                "must name an absolute path, not \(server.bind)"
            )
        } else if !server.bind.isEmpty {
            problems.require(
                NameChecks.isAddress(server.bind),
                place.member("bind"),
                "must be an IP address, not \(server.bind)"
            )
        }
        problems.require(!server.hosts.isEmpty, place.member("hosts"), "is missing")
        for (index, host) in server.hosts.enumerated() where !Self.isHostEntry(host) {
            problems.add(
                place.member("hosts").element(index),
                "must be a name with a dot, *, or *. and a name, with or without a namespace, not \(host)"
            )
        }
        check(server.tls, of: server, at: place.member("tls"))
    }

    private static func isHostEntry(_ entry: String) -> Bool {
        let parts = entry.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, parts[0] != "*", parts[0] != ".", !NameChecks.isLabel(parts[0]) { return false }
        guard let last = parts.last else { return false }
        let name = String(last)
        if name == "*" { return true }
        // An IPv6 address is a short name to Istio, as it has no dot (agent/validation.go validateSidecarOrGatewayHostnamePart).
        guard name.contains(".") else { return false }
        if NameChecks.isAddress(name) { return true }
        // A wildcard stands for whole labels only.
        guard !name.hasPrefix("*") || name.hasPrefix("*.") else { return false }
        return NameChecks.isWildcardDomain(name)
    }

    // MARK: - TLS

    private mutating func check(_ tls: Gateway.TLSSettings?, of server: Gateway.Server, at place: FieldPath) {
        let isTLS = ["HTTPS", "TLS"].contains(server.protocolName.uppercased())
        guard let tls else {
            problems.require(!isTLS, place, "is missing for protocol \(server.protocolName)")
            return
        }
        let modes = [
            "PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL",
        ]
        problems.require(modes.contains(tls.mode), place.member("mode"), "must be a known mode, not \(tls.mode)")
        if !isTLS {
            // What httpsRedirect says plays no part, nor a secret: Istio asks whether the server passes through, and for
            // certificates in files.
            let hasFiles = !tls.caCertificates.isEmpty || !tls.privateKey.isEmpty || !tls.serverCertificate.isEmpty
            problems.require(
                server.traffic == .plainHTTP && ["PASSTHROUGH", "AUTO_PASSTHROUGH"].contains(tls.mode) && !hasFiles,
                place,
                "must not have a mode or certificates for protocol \(server.protocolName)"
            )
        }
        checkCertificates(tls, at: place)
    }

    private mutating func checkCertificates(_ tls: Gateway.TLSSettings, at place: FieldPath) {
        let hasFiles = !tls.serverCertificate.isEmpty && !tls.privateKey.isEmpty
        if tls.mode == "ISTIO_MUTUAL" {
            problems.require(!tls.namesCertificates, place, "must have no certificates of its own for ISTIO_MUTUAL")
            return
        }
        let sources =
            (tls.credentialName.isEmpty ? 0 : 1) + (tls.credentialNames.isEmpty ? 0 : 1)
            + (tls.tlsCertificates.isEmpty ? 0 : 1) + (hasFiles ? 1 : 0)
        problems.require(
            sources <= 1,
            place,
            "must have one source of certificates: credentialName, credentialNames, tlsCertificates, or "
                + "serverCertificate and privateKey"
        )
        guard ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"].contains(tls.mode) else {
            problems.require(
                tls.certificateRevocationList.isEmpty || tls.credentialName.isEmpty,
                place.member("caCrl"),
                "must be absent beside credentialName"
            )
            return
        }
        // A secret holds all of it, and Istio looks no further.
        guard tls.credentialName.isEmpty, tls.credentialNames.isEmpty else { return }
        for (index, isComplete) in tls.tlsCertificates.enumerated() where !isComplete {
            problems.add(
                place.member("tlsCertificates").element(index),
                "must have both serverCertificate and privateKey"
            )
        }
        problems.require(
            !tls.tlsCertificates.isEmpty || hasFiles,
            place,
            "must have a credentialName, or serverCertificate and privateKey"
        )
        if tls.mode == "SIMPLE" {
            problems.require(
                tls.certificateRevocationList.isEmpty,
                place.member("caCrl"),
                "must be absent for SIMPLE, which asks clients for no certificate"
            )
        } else {
            problems.require(!tls.caCertificates.isEmpty, place.member("caCertificates"), "is missing for \(tls.mode)")
        }
    }
}
