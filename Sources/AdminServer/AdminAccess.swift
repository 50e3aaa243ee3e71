// Wingmirror · Apache-2.0

import HTTPTypes

/// Decides who may use an endpoint.
struct AdminAccess: Sendable {
    /// What was decided.
    enum Decision: Equatable {
        case admitted
        /// Credentials are needed, and none that fit were sent.
        case unauthenticated
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

    /// Decides whether `peer` may use an endpoint that is open this far.
    func decide(_ exposure: AdminEndpoint.Exposure, for peer: Peer) -> Decision {
        switch exposure {
        case .open:
            return .admitted
        case .openWithoutCredentials where credentials.isEmpty:
            return .admitted
        case .guarded where credentials.isEmpty:
            return decideByLoopback(peer)
        case .openWithoutCredentials, .guarded:
            return credentials.admit(peer.authorization) ? .admitted : .unauthenticated
        }
    }

    private func decideByLoopback(_ peer: Peer) -> Decision {
        guard let address = peer.address, Self.isLoopback(address) else {
            return .forbidden("no credentials are configured (admin.auth), so this is answered on loopback only")
        }
        // A page in a browser on this machine could give its own name this machine's address and read the answer.
        guard let authority = peer.authority, Self.namesAnAddress(authority) else {
            return .forbidden("on loopback the Host field must be an address or localhost")
        }
        return .admitted
    }

    /// Why a request that changes something must be refused although its sender may: a page of another origin had a browser
    /// send it.
    ///
    /// Browsers say where a request comes from, in one of two fields that pages cannot set; other clients send neither.
    static func reasonToRefuse(_ fields: HTTPFields, of authority: String?) -> String? {
        if let site = fields[.fetchSite], site != "same-origin", site != "none" {
            return "a page of another origin (Sec-Fetch-Site: \(site)) must not ask for this"
        }
        guard let origin = fields[.origin] else { return nil }
        guard let authority, origin == "http://\(authority)" || origin == "https://\(authority)" else {
            return "a page of another origin must not ask for this"
        }
        return nil
    }

    private static func isLoopback(_ address: String) -> Bool {
        address == "::1" || address.hasPrefix("127.") || address.hasPrefix("::ffff:127.")
    }

    private static func namesAnAddress(_ authority: String) -> Bool {
        if authority.hasPrefix("[") {
            return true
        }
        let host = authority.prefix { $0 != ":" }.lowercased()
        let isIPv4 = host.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".")
        }
        return host == "localhost" || (isIPv4 && !host.isEmpty)
    }
}

extension HTTPField.Name {
    /// Where a browser's request comes from: Fetch Metadata Request Headers §2.4.
    fileprivate static var fetchSite: Self {
        guard let name = Self("Sec-Fetch-Site") else { preconditionFailure("HTTPField.Name: a token") }
        return name
    }
}
