// Wingmirror · Apache-2.0

import HTTPTypes
import PacketDecoding

/// Decides who may use an endpoint.
struct AdminAccess: Sendable {
    /// What was decided.
    enum Decision: Equatable {
        case admitted
        /// Credentials are needed, and none that fit were sent.
        case unauthenticated
        /// An authority has to be asked whether the owner of this token may.
        case undecided(token: String)
        /// Only peers on loopback may; the reason is for the peer to read.
        case forbidden(String)
    }

    /// What is known of the one who asks.
    struct Peer {
        /// The peer's address in text form; `nil` when the connection has none any more.
        var address: String?
        /// The value of the Authorization field.
        var authorization: String?
        /// The value of the Host field.
        var authority: String?
    }

    /// The credentials configured.
    var credentials: AdminCredentials
    /// Whether an authority is asked about tokens that are none of them.
    var asksAboutTokens = false

    /// Whether nothing is configured that could let anybody in.
    private var isOpen: Bool { credentials.isEmpty && !asksAboutTokens }

    /// Decides whether `peer` may use an endpoint that is open this far.
    func decide(_ exposure: AdminEndpoint.Exposure, for peer: Peer) -> Decision {
        switch exposure {
        case .open:
            return .admitted
        case .openWithoutCredentials where isOpen:
            return .admitted
        case .guarded where isOpen:
            return decideByLoopback(peer)
        case .openWithoutCredentials, .guarded:
            if credentials.admit(peer.authorization) { return .admitted }
            guard asksAboutTokens, let token = AuthorizationField(peer.authorization)?.bearerToken else {
                return .unauthenticated
            }
            return .undecided(token: token)
        }
    }

    private func decideByLoopback(_ peer: Peer) -> Decision {
        guard let address = peer.address.flatMap({ IPAddress($0) }), address.isLoopback else {
            let port = Self.port(of: peer.authority)
            return .forbidden(
                "no credentials are configured (admin.auth), so this is answered on loopback only; forward the port "
                    + "(ssh -L \(port):127.0.0.1:\(port) HOST, or kubectl port-forward), or set admin.auth"
            )
        }
        // A page in a browser on this machine could give its own name this machine's address and read the answer.
        guard let authority = peer.authority, Self.namesAnAddress(authority) else {
            return .forbidden("on loopback the Host field must be an address or localhost")
        }
        return .admitted
    }

    /// Why a request that changes something must be refused although its sender may: a page of another origin had a browser
    /// send it, or may have.
    ///
    /// Browsers say where a request comes from, in one of two fields that pages cannot set; old ones say it in neither. So where
    /// neither is there, something is asked for that a form of another site cannot send along: a field of our own, a bearer
    /// token, or content that is JSON.
    static func reasonToRefuse(_ fields: HTTPFields, of authority: String?) -> String? {
        if let site = fields[.fetchSite], site != "same-origin", site != "none" {
            return "a page of another origin (Sec-Fetch-Site: \(site)) must not ask for this"
        }
        if let origin = fields[.origin] {
            guard let authority, origin == "http://\(authority)" || origin == "https://\(authority)" else {
                return "a page of another origin must not ask for this"
            }
            return nil
        }
        let isJSON = fields[.contentType]?.lowercased().hasPrefix("application/json") ?? false
        let hasToken = AuthorizationField(fields[.authorization])?.bearerToken != nil
        guard fields[.fetchSite] != nil || fields[.ownRequest] != nil || isJSON || hasToken else {
            return "send the header X-Wingmirror-Request: 1, which a form of another site cannot send"
        }
        return nil
    }

    private static func namesAnAddress(_ authority: String) -> Bool {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return false }
            let rest = authority[authority.index(after: end)...]
            let address = authority[authority.index(after: authority.startIndex)..<end]
            return isPort(rest) && IPAddress(address)?.isIPv4 == false
        }
        let host = authority.prefix { $0 != ":" }
        guard isPort(authority[host.endIndex...]) else { return false }
        return host.lowercased() == "localhost"
            || IPAddress(host)?.isIPv4 == true
    }

    /// The port that was asked, as far as a Host field says; else the usual one.
    private static func port(of authority: String?) -> UInt16 {
        guard let authority, let colon = authority.lastIndex(of: ":") else { return 9646 }
        let port = authority[authority.index(after: colon)...]
        return (isPort(authority[colon...]) ? UInt16(port) : nil) ?? 9646
    }

    /// Whether this is what may follow an address in a Host field: nothing, or a colon and digits.
    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.hasPrefix(":") && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) })
    }
}

extension IPAddress {
    /// Whether this is an address of loopback (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
    var isLoopback: Bool {
        isIPv4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1
    }
}

extension HTTPField.Name {
    /// Says that no form of another site has made the request.
    fileprivate static var ownRequest: Self {
        guard let name = Self("X-Wingmirror-Request") else { preconditionFailure("HTTPField.Name: a token") }
        return name
    }

    /// Where a browser's request comes from: Fetch Metadata Request Headers §2.4.
    fileprivate static var fetchSite: Self {
        guard let name = Self("Sec-Fetch-Site") else { preconditionFailure("HTTPField.Name: a token") }
        return name
    }
}
