// Wingmirror · Apache-2.0

public import JSONSyntax
internal import TrafficModel

/// A request that someone describes rather than sends.
public struct DescribedRequest: Sendable {
    /// The caller's name for it; any JSON value, given back as it came.
    public let id: JSONValue
    /// Whether it arrives inside TLS that ends at the gateway.
    public let isTLS: Bool
    /// The Gateway server's port number; a pod's port is taken for that of its server, unless ``isServerPort`` says otherwise.
    public let port: Int
    /// Whether ``port`` was named as a server's, so that a pod's port finds no listener.
    public let isServerPort: Bool
    /// Whether ``port`` is what the pod listens on, as in packets, so that a server's number finds no listener where a Service
    /// leads to another port.
    public let isPodPort: Bool
    /// The TLS server name; `nil` without one.
    public let serverName: String?
    /// The method.
    public let methodText: String
    /// The request target as on the request line.
    public let targetText: String
    /// The value of the Host field; `nil` without one.
    public let authorityText: String?
    /// All other field lines in order.
    let lines: [NamedText]
    /// Names in lower case of fields whose values are not known.
    let hiddenNames: Set<String>
    private let octets: [UInt8]
    private let method: Range<Int>
    private let target: Range<Int>
    private let authority: Range<Int>?
    private let fields: [FieldLine]
    private let traits: RequestTraits
    private let version: HTTPVersion

    /// Describes an HTTP/1.1 request.
    ///
    /// - Parameters:
    ///   - id: what to call it.
    ///   - method: the method.
    ///   - target: the request target as on the request line.
    ///   - authority: the value of the Host field; `nil` without one.
    ///   - headers: all other field lines in order; `[redacted]` stands for a value that is not known.
    ///   - port: the Gateway server's port number.
    ///   - isServerPort: whether the port was named as a server's, so that a pod's port finds no listener.
    ///   - isPodPort: whether the port is a pod's, so that a server's finds none.
    ///   - isTLS: whether it arrives inside TLS that ends at the gateway.
    ///   - serverName: the TLS server name.
    ///   - isHTTP10: whether it is HTTP/1.0 instead.
    public init(
        id: JSONValue = .null,
        method: String,
        target: String,
        authority: String?,
        headers: [(name: String, value: String)] = [],
        port: Int = 80,
        isServerPort: Bool = false,
        isPodPort: Bool = false,
        isTLS: Bool = false,
        serverName: String? = nil,
        isHTTP10: Bool = false
    ) {
        version = isHTTP10 ? .http10 : .http11
        hiddenNames = Set(headers.filter { $0.value == RedactedValue.text }.map { HostNames.lowercased($0.name) })
        self.id = id
        self.port = port
        self.isServerPort = isServerPort
        self.isPodPort = isPodPort
        self.isTLS = isTLS
        self.serverName = serverName
        methodText = method
        targetText = target
        authorityText = authority
        lines = headers.map { NamedText(name: $0.name, value: $0.value) }
        var octets: [UInt8] = []
        func place(_ text: String) -> Range<Int> {
            let start = octets.count
            octets += text.utf8
            return start..<octets.count
        }
        self.method = place(method)
        self.target = place(target)
        var lines: [FieldLine] = []
        var traits: RequestTraits = []
        // White space around a value is no part of it (RFC 9110 section 5.5).
        func placeValue(_ text: String) -> Range<Int> {
            let place = place(text)
            let blanks: Set<UInt8> = [0x20, 0x09]
            let value = octets[place]
            guard let first = value.firstIndex(where: { !blanks.contains($0) }),
                let last = value.lastIndex(where: { !blanks.contains($0) })
            else { return place.lowerBound..<place.lowerBound }
            return first..<last + 1
        }
        if let authority { lines.append(FieldLine(name: place("host"), value: placeValue(authority))) }
        self.authority = lines.first?.value
        for header in headers {
            lines.append(FieldLine(name: place(header.name), value: placeValue(header.value)))
            switch HostNames.lowercased(header.name) {
            case "host" where authority != nil: traits.insert(.hasSeveralHosts)
            case "connection": traits.insert(.hasConnectionOptions)
            default: break
            }
        }
        fields = lines
        self.traits = traits
        self.octets = octets
    }

    /// Reads a request as `routes explain --requests` takes it: `{id, method, scheme, authority, path, headers: [{name,
    /// value}], port, sni, protocol}`.
    ///
    /// - Parameters:
    ///   - value: The request.
    ///   - isPodPort: Whether `port` is a pod's, as in `--cases`.
    /// - Throws: The first field that does not fit.
    public init(_ value: JSONValue, isPodPort: Bool = false) throws(ResourceError) {
        let reader = FieldReader(value)
        guard let path = try reader.string("path") else {
            throw ResourceError(FieldPath.root.member("path"), "is missing")
        }
        let scheme = try reader.string("scheme") ?? "http"
        guard scheme == "http" || scheme == "https" else {
            throw ResourceError(FieldPath.root.member("scheme"), "must be http or https, not \(scheme)")
        }
        let headers = try reader.list("headers") { entry throws(ResourceError) in
            (name: try entry.string("name") ?? "", value: try entry.string("value") ?? "")
        }
        self.init(
            id: value["id"] ?? .null,
            method: try reader.string("method") ?? "GET",
            target: path,
            authority: try reader.string("authority"),
            headers: headers,
            port: try reader.integer("port") ?? (scheme == "https" ? 443 : 80),
            isPodPort: isPodPort,
            isTLS: scheme == "https",
            serverName: try reader.string("sni"),
            isHTTP10: try reader.string("protocol") == "HTTP/1.0"
        )
    }

    /// The request as the lookup takes it.
    @_lifetime(borrow self)
    func view() -> RequestView {
        RequestView(
            octets: octets.span,
            method: method,
            target: target,
            authority: authority,
            version: version,
            fields: fields.span,
            traits: traits
        )
    }
}

/// A name and its value, as of a field line or a query parameter.
struct NamedText: Sendable, Hashable {
    var name: String
    var value: String
}

/// A described request while one thing about it is changed.
struct RequestDraft {
    var method: String
    var target: String
    var authority: String?
    var lines: [NamedText]
    var port: Int
    /// Whether the port is a pod's, as that of the request.
    var isPodPort: Bool
    var isTLS: Bool
    var serverName: String?

    init(_ request: DescribedRequest) {
        method = request.methodText
        target = request.targetText
        authority = request.authorityText
        lines = request.lines
        port = request.port
        isPodPort = request.isPodPort
        isTLS = request.isTLS
        serverName = request.serverName
    }

    var request: DescribedRequest {
        DescribedRequest(
            method: method,
            target: target,
            authority: authority,
            headers: lines.map { (name: $0.name, value: $0.value) },
            port: port,
            isPodPort: isPodPort,
            isTLS: isTLS,
            serverName: serverName
        )
    }

    /// The target's path, without the query.
    var path: String {
        get { String(target.prefix { $0 != "?" }) }
        set { target = newValue + target.drop { $0 != "?" } }
    }

    /// Takes all lines of a name away.
    mutating func removeField(_ name: String) {
        lines.removeAll { HostNames.lowercased($0.name) == name }
    }

    /// Gives a name one line.
    mutating func setField(_ name: String, to value: String) {
        removeField(name)
        lines.append(NamedText(name: name, value: value))
    }

    /// Gives a query parameter its first value.
    mutating func setParameter(_ name: String, to value: String) {
        guard let mark = target.firstIndex(of: "?") else {
            target += "?\(name)=\(value)"
            return
        }
        let query = target[target.index(after: mark)...]
        let rest = query.split(separator: "&").filter { $0 != name && !$0.hasPrefix("\(name)=") }
        target = target[..<mark] + "?" + (["\(name)=\(value)"] + rest.map(String.init)).joined(separator: "&")
    }
}
