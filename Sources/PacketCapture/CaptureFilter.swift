// Wingmirror · Apache-2.0
// Filter expressions: pcap-filter(7).

public import PacketDecoding

/// Which packets the kernel is to hand over, as an expression of libpcap's language for each link type.
///
/// From ports and addresses it asks for TCP segments from or to one of the ports, at one of the addresses if there are
/// any, and besides for packets in which a filter cannot see the ports:
///
/// - IPv4 fragments other than the first, which carry no ports: all that belong to TCP (at these addresses).
/// - IPv6 packets with extension headers, fragments among them, as libpcap looks for TCP only right behind the fixed
///   header: all of them (at these addresses).
///
/// What the filter lets through too much is told apart later; what it holds back is lost.
///
/// VLAN tags: on a live interface the kernel keeps the outer tag beside the frame, where the plain expression does not
/// notice it, but savefiles and inner tags have it in the frame. The word `vlan` shifts the offsets of everything that
/// comes after it in the expression, so the plain test comes first and the tagged ones are nested. Linux cooked
/// interfaces, such as `any`, have no `vlan` test: there every frame with a tag inside is let through.
///
/// Not handled: a derived filter does not look into tunnels, MPLS or PPPoE; capture those with an expression of the
/// user's own.
public struct CaptureFilter: Sendable, Hashable {
    /// One end of connections of our own, which are not to be captured.
    public struct OwnEndpoint: Sendable, Hashable {
        /// The address; `nil` for any.
        public var address: IPAddress?
        /// The port.
        public var port: UInt16

        /// Makes an endpoint of its parts.
        public init(address: IPAddress? = nil, port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    /// The ports that the gateway listens on; empty for all.
    public var ports: [UInt16]
    /// The addresses of the gateway; empty for any.
    public var addresses: [IPAddress]
    /// Connections from or to these are left out, also when there is an `expression`.
    public var ownEndpoints: [OwnEndpoint]
    /// An expression of the user's, which replaces the one derived from ports and addresses.
    public var expression: String?

    /// Makes a filter of its parts.
    public init(
        ports: [UInt16] = [],
        addresses: [IPAddress] = [],
        ownEndpoints: [OwnEndpoint] = [],
        expression: String? = nil
    ) {
        self.ports = ports
        self.addresses = addresses
        self.ownEndpoints = ownEndpoints
        self.expression = expression
    }

    /// A filter that lets nothing through: no packet is as short as it asks for.
    public static let nothing = CaptureFilter(expression: "less 0")

    /// The whole expression for packets of one link type.
    ///
    /// With an expression of the user's the own connections are taken out before it, where no `vlan` in it has shifted
    /// the offsets yet.
    public func text(for linkType: LinkType) -> String {
        guard let expression else {
            return tagged(excludingOwn(derived), for: linkType)
        }
        return excludingOwn(expression.allSatisfy(\.isWhitespace) ? "" : "(\(expression))")
    }

    /// The expression for people: without what it has besides for VLAN tags, which depends on the link type.
    public var plainText: String {
        let text = text(for: .raw)
        return text.isEmpty ? "none: everything is captured" : text
    }

    /// Finds out whether the expression compiles for a link type.
    /// - Throws: `.invalidFilter`, with what libpcap says about it.
    public func validate(for linkType: LinkType = .ethernet) throws(CaptureError) {
        if let expression {
            // Alone first, so that parentheses around it cannot make sense of what makes none.
            try PcapHandle.compile(expression, for: linkType)
        }
        try PcapHandle.compile(text(for: linkType), for: linkType)
    }
}

// MARK: - Parts of the expression

extension CaptureFilter {
    /// What is wanted of a frame whose network header is where the link type says; in parentheses.
    private var derived: String {
        let segments: String
        let elsewhere: String
        if addresses.isEmpty {
            segments = ports.isEmpty ? "tcp" : alternatives(ports.map { "tcp port \($0)" })
            elsewhere = Self.withoutPorts
        } else {
            let toGateway = [towards("dst"), ports.isEmpty ? "tcp" : alternatives(ports.map { "tcp dst port \($0)" })]
            let fromGateway = [
                towards("src"), ports.isEmpty ? "tcp" : alternatives(ports.map { "tcp src port \($0)" }),
            ]
            segments = alternatives([all(toGateway), all(fromGateway)])
            elsewhere = all([alternatives([towards("dst"), towards("src")]), Self.withoutPorts])
        }
        return alternatives([segments, elsewhere])
    }

    /// TCP in later IPv4 fragments, and anything behind IPv6 extension headers: hop-by-hop options (0), routing (43),
    /// fragment (44), destination options (60).
    private static let withoutPorts =
        "((ip[9] = 6 and ip[6:2] & 0x1fff != 0) or ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 60)"

    /// A packet in whose IP header one of the addresses is in the given direction.
    private func towards(_ direction: String) -> String {
        alternatives(addresses.map { Self.host($0, direction) })
    }

    private static func host(_ address: IPAddress, _ direction: String) -> String {
        "\(address.isIPv4 ? "ip" : "ip6") \(direction) host \(address.filterText)"
    }

    /// An expression without the own connections.
    private func excludingOwn(_ expression: String) -> String {
        guard !ownEndpoints.isEmpty else {
            return expression
        }
        let own = ownEndpoints.map { endpoint in
            guard let address = endpoint.address else {
                return "tcp port \(endpoint.port)"
            }
            return alternatives(
                ["src", "dst"].map { all([Self.host(address, $0), "tcp \($0) port \(endpoint.port)"]) }
            )
        }
        let others = "not \(alternatives(own))"
        return expression.isEmpty ? others : "\(others) and \(expression)"
    }

    /// An expression that holds for frames with and without VLAN tags in them.
    private func tagged(_ plain: String, for linkType: LinkType) -> String {
        switch linkType {
        case .ethernet:
            "(\(plain)) or (vlan and ((\(plain)) or (vlan and (\(plain)))))"
        case .linuxCooked, .linuxCooked2:
            "(\(plain)) or ether proto 0x8100 or ether proto 0x88a8"
        default:
            plain
        }
    }

    private func alternatives(_ parts: [String]) -> String {
        parts.count == 1 ? parts[0] : "(\(parts.joined(separator: " or ")))"
    }

    private func all(_ parts: [String]) -> String {
        "(\(parts.joined(separator: " and ")))"
    }
}

extension IPAddress {
    /// The address as libpcap's language takes it.
    fileprivate var filterText: String {
        guard !isIPv4 else {
            return [24, 16, 8, 0].map { String(low >> $0 & 0xFF) }.joined(separator: ".")
        }
        return [high, low].flatMap { half in [48, 32, 16, 0].map { String(half >> $0 & 0xFFFF, radix: 16) } }
            .joined(separator: ":")
    }
}
