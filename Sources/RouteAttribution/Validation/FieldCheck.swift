// Wingmirror · Apache-2.0

internal import JSONSyntax

/// Finds fields that a kind does not have.
///
/// The API server drops such fields without a word, or refuses the object where the client asks for strict validation;
/// either way the author did not mean it.
struct FieldCheck {
    /// How many unknown fields of one object are reported.
    static let limit = 20

    private let object: ObjectIdentity
    private let root: FieldShape
    private var findings: [RouteFinding] = []

    /// The unknown fields of an object; kinds whose fields are not listed here have none.
    static func findings(in value: JSONValue, of object: ObjectIdentity) -> [RouteFinding] {
        guard let shape = FieldShape.kinds[object.kind] else { return [] }
        var check = FieldCheck(object: object, root: shape)
        check.walk(value, shape, at: .root)
        return check.findings
    }

    private init(object: ObjectIdentity, root: FieldShape) {
        self.object = object
        self.root = root
    }

    private mutating func walk(_ value: JSONValue, _ shape: FieldShape, at path: FieldPath) {
        switch (shape, value) {
        case (.object(let fields), .object(let mapping)):
            for member in mapping.members {
                if let known = fields[member.key] {
                    walk(member.value, known, at: path.member(member.key))
                } else {
                    report(member.key, fields, at: path)
                }
            }
        case (.list(let entry), .array(let entries)):
            for (index, value) in entries.enumerated() { walk(value, entry, at: path.element(index)) }
        case (.map(let entry), .object(let mapping)):
            for member in mapping.members { walk(member.value, entry, at: path.member(member.key)) }
        default: return
        }
    }

    /// The place of that name which shares most of the way to a wrong one; of several, a path's.
    private func home(of key: String, from path: FieldPath) -> String? {
        let way = path.description.split(separator: ".").map { $0.prefix { $0 != "[" } }
        func shared(_ place: String) -> Int {
            let other = place.split(separator: ".").map { $0.prefix { $0 != "[" } }
            return zip(way, other).prefix { $0 == $1 }.count * 2 + (other.contains("uri") ? 1 : 0)
        }
        return root.places(of: key).max { shared($0) < shared($1) }
    }

    private mutating func report(_ key: String, _ fields: [String: FieldShape], at path: FieldPath) {
        guard findings.count < Self.limit else { return }
        let place = path.member(key).description
        var hint = ""
        if let nearest = FieldShape.nearest(key, among: fields) {
            hint = "; did you mean \(nearest)?"
        } else if let home = home(of: key, from: path) {
            hint = "; \(key) belongs in \(home)"
        }
        let kind = object.kind == "Gateway (Gateway API)" ? "Gateway of the Gateway API" : object.kind
        findings.append(
            RouteFinding(
                object: object,
                severity: .warning,
                code: .unknownField,
                path: place,
                message: "\(place) is no field of a \(kind), so the API server drops it\(hint)"
            )
        )
    }
}

/// Which fields a value may have.
indirect enum FieldShape: Sendable {
    /// Anything: texts, numbers, and what is not listed.
    case any
    case object([String: FieldShape])
    case list(FieldShape)
    /// An object whose keys are names that users choose.
    case map(FieldShape)

    /// The nearest field to a wrong name: by letters, or the one that wrong name is known to stand for.
    static func nearest(_ key: String, among fields: [String: FieldShape]) -> String? {
        let usual = [
            "url": "uri", "path": "uri", "paths": "uri", "timeouts": "timeout", "backends": "backendRefs",
            "destinations": "route", "weights": "weight",
        ]
        if let meant = usual[key], fields[meant] != nil { return meant }
        return EditDistance.nearest(key, among: fields.keys.sorted())
    }

    /// The fields of that name, such as `spec.http[].match[].uri.prefix`; an entry of any list is written `[]`.
    func places(of key: String, at path: String = "") -> [String] {
        switch self {
        case .any: return []
        case .list(let entry): return entry.places(of: key, at: "\(path)[]")
        case .map(let entry): return entry.places(of: key, at: "\(path).*")
        case .object(let fields):
            var found: [String] = []
            for name in fields.keys.sorted() {
                let place = path.isEmpty ? name : "\(path).\(name)"
                if name == key, path.hasPrefix("spec") { found.append(place) }
                found += fields[name]?.places(of: key, at: place) ?? []
            }
            return found
        }
    }

    private static func fields(_ names: String, _ nested: [String: FieldShape] = [:]) -> FieldShape {
        var result = nested
        for name in names.split(separator: " ") { result[String(name)] = .any }
        return .object(result)
    }

    private static func manifest(_ spec: FieldShape) -> FieldShape {
        .object(["apiVersion": .any, "kind": .any, "metadata": .any, "spec": spec, "status": .any])
    }

    /// The kinds whose fields are known.
    static let kinds: [String: FieldShape] = [
        "VirtualService": manifest(virtualService), "Gateway": manifest(gateway),
        "DestinationRule": manifest(fields("host trafficPolicy subsets exportTo workloadSelector")),
        "Gateway (Gateway API)": manifest(apiGateway), "ListenerSet": manifest(listenerSet),
        "HTTPRoute": manifest(httpRoute), "GRPCRoute": manifest(grpcRoute), "TLSRoute": manifest(tlsRoute),
        "Ingress": manifest(ingress),
    ]

    // MARK: Istio

    private static let text = fields("exact prefix regex")
    private static let percent = fields("value")
    private static let port = fields("number")
    private static let destination = fields("host subset", ["port": port])
    private static let operations = fields(
        "",
        ["request": fields("set add remove"), "response": fields("set add remove")]
    )
    private static let weighted = fields("weight", ["destination": destination, "headers": operations])

    private static let virtualService = fields(
        "hosts gateways exportTo",
        [
            "http": .list(httpRule),
            "tls": .list(
                .object([
                    "match": .list(
                        fields("sniHosts destinationSubnets port sourceLabels gateways sourceNamespace")
                    ), "route": .list(weighted),
                ])
            ),
            "tcp": .list(
                .object([
                    "match": .list(
                        fields("destinationSubnets port sourceSubnet sourceLabels gateways sourceNamespace")
                    ), "route": .list(weighted),
                ])
            ),
        ]
    )

    private static let httpRule = fields(
        "name timeout mirrorPercent mirror_percent",
        [
            "match": .list(
                fields(
                    "name port sourceLabels gateways ignoreUriCase sourceNamespace statPrefix",
                    [
                        "uri": text, "scheme": text, "method": text, "authority": text, "headers": .map(text),
                        "queryParams": .map(text), "withoutHeaders": .map(text),
                    ]
                )
            ),
            "route": .list(weighted),
            "redirect": fields("uri authority port derivePort scheme redirectCode prefixRewrite"),
            "directResponse": fields("status", ["body": fields("string bytes")]),
            "delegate": fields("name namespace"),
            "rewrite": fields("uri authority", ["uriRegexRewrite": fields("match rewrite")]),
            "retries": fields(
                "attempts perTryTimeout retryOn retryRemoteLocalities retryIgnorePreviousHosts backoff"
            ),
            "fault": .object([
                "delay": fields("percent fixedDelay exponentialDelay", ["percentage": percent]),
                "abort": fields("httpStatus grpcStatus http2Error", ["percentage": percent]),
            ]),
            "mirror": destination, "mirrorPercentage": percent,
            "mirrors": .list(.object(["destination": destination, "percentage": percent])),
            "corsPolicy": fields(
                "allowOrigin allowMethods allowHeaders exposeHeaders maxAge allowCredentials unmatchedPreflights",
                ["allowOrigins": .list(text)]
            ),
            "headers": operations,
        ]
    )

    private static let gateway = fields(
        "selector",
        [
            "servers": .list(
                fields(
                    "hosts bind name defaultEndpoint",
                    [
                        "port": fields("number protocol name targetPort"),
                        "tls": fields(
                            "httpsRedirect mode serverCertificate privateKey caCertificates caCrl credentialName "
                                + "credentialNames caCertCredentialName tlsCertificates subjectAltNames "
                                + "verifyCertificateSpki verifyCertificateHash minProtocolVersion "
                                + "maxProtocolVersion cipherSuites ecdhCurves alpnProtocols"
                        ),
                    ]
                )
            )
        ]
    )

    // MARK: Gateway API

    private static let namespaces = fields("from selector")
    private static let listener = fields(
        "name hostname port protocol",
        [
            "tls": fields("mode certificateRefs options frontendValidation"),
            "allowedRoutes": .object(["namespaces": namespaces, "kinds": .list(fields("group kind"))]),
        ]
    )
    private static let apiGateway = fields(
        "gatewayClassName infrastructure backendTLS tls defaultScope",
        [
            "listeners": .list(listener), "addresses": .list(fields("type value")),
            "allowedListeners": .object(["namespaces": namespaces]),
        ]
    )
    private static let listenerSet = fields(
        "",
        ["parentRef": fields("group kind namespace name"), "listeners": .list(listener)]
    )
    private static let parents = FieldShape.list(fields("group kind namespace name sectionName port"))
    private static let backend = fields("group kind namespace name port weight filters")
    private static let conditions = FieldShape.list(fields("type name value"))
    private static let filter = fields(
        "type requestHeaderModifier responseHeaderModifier extensionRef cors externalAuth",
        [
            "requestMirror": fields("percent fraction", ["backendRef": backend]),
            "requestRedirect": fields(
                "scheme hostname port statusCode",
                ["path": fields("type replaceFullPath replacePrefixMatch")]
            ),
            "urlRewrite": fields("hostname", ["path": fields("type replaceFullPath replacePrefixMatch")]),
        ]
    )
    private static let httpRoute = fields(
        "hostnames useDefaultGateways",
        [
            "parentRefs": parents,
            "rules": .list(
                fields(
                    "name sessionPersistence",
                    [
                        "matches": .list(
                            fields(
                                "method",
                                ["path": fields("type value"), "headers": conditions, "queryParams": conditions]
                            )
                        ),
                        "filters": .list(filter), "backendRefs": .list(backend),
                        "timeouts": fields("request backendRequest"), "retry": fields("codes attempts backoff"),
                    ]
                )
            ),
        ]
    )
    private static let grpcRoute = fields(
        "hostnames useDefaultGateways",
        [
            "parentRefs": parents,
            "rules": .list(
                fields(
                    "name sessionPersistence",
                    [
                        "matches": .list(
                            .object(["method": fields("type service method"), "headers": conditions])
                        ),
                        "filters": .list(filter), "backendRefs": .list(backend),
                    ]
                )
            ),
        ]
    )
    private static let tlsRoute = fields(
        "hostnames useDefaultGateways",
        ["parentRefs": parents, "rules": .list(fields("name", ["backendRefs": .list(backend)]))]
    )

    // MARK: Ingress

    private static let ingressBackend = fields(
        "resource",
        ["service": .object(["name": .any, "port": fields("number name")])]
    )
    private static let ingress = fields(
        "ingressClassName",
        [
            "defaultBackend": ingressBackend, "tls": .list(fields("hosts secretName")),
            "rules": .list(
                fields(
                    "host",
                    ["http": .object(["paths": .list(fields("path pathType", ["backend": ingressBackend]))])]
                )
            ),
        ]
    )
}
