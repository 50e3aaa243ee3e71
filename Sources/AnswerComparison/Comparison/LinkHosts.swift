// Wingmirror · Apache-2.0
// Authorities of links: RFC 3986 §3.2.

import OctetText

/// The authorities that one request was answered by; links to them are links to "here".
///
/// Links to any other host are compared as they are, be it another one of production's. So is the scheme, where all servers were
/// asked by the same one: behind a proxy that ends TLS, a link with the other scheme leads round in a circle, or nowhere.
struct LinkHosts: Sendable {
    private var authorities: Set<[UInt8]>
    private let targets: Set<[UInt8]>
    /// What links to "here" begin with, when one with the other scheme is another link; `nil` when schemes mean nothing.
    var schemes: Schemes?

    /// The two schemes of HTTP.
    enum Scheme: String, Sendable {
        case http = "http:"
        case https = "https:"
    }

    /// The schemes that servers were asked by.
    struct Schemes: Sendable {
        /// At the host that the client asked.
        let asked: Scheme
        /// At the targets.
        let targets: Scheme
    }

    init(_ hosts: [String]) {
        targets = Set(hosts.filter { !$0.isEmpty }.map { Self.folded(Array($0.utf8)) })
        authorities = targets
    }

    /// The same hosts and one more.
    func adding(_ host: String?) -> LinkHosts {
        guard let host, !host.isEmpty else { return self }
        var hosts = self
        hosts.authorities.insert(Self.folded(Array(host.utf8)))
        return hosts
    }

    /// Whether cookies with these domains are sent to the same hosts, "here" being one place; `nil` is the answering host alone.
    ///
    /// Domains that both cover one host are two reaches of one place; those of different hosts are the same if both cover one
    /// that is known.
    func areAlike(domain first: [UInt8]?, _ second: [UInt8]?) -> Bool {
        guard let first, let second, first != second else { return first == second }
        let (ours, theirs) = (covered(by: first), covered(by: second))
        return !ours.isEmpty && !theirs.isEmpty && ours.isDisjoint(with: theirs)
    }

    /// The known hosts that are a domain or lie within it.
    private func covered(by domain: [UInt8]) -> Set<[UInt8]> {
        authorities.filter { authority in
            let host = authority.prefix { $0 != UInt8(ascii: ":") }
            guard host.count > domain.count else { return host.elementsEqual(domain) }
            return host.dropLast(domain.count).last == UInt8(ascii: ".")
                && host.suffix(domain.count).elementsEqual(domain)
        }
    }

    /// A text without scheme and authority where they say "here"; a scheme that matters and is the other one stays.
    func relative(_ octets: [UInt8]) -> [UInt8] {
        guard !authorities.isEmpty else { return octets }
        var result: [UInt8] = []
        var index = 0
        while index < octets.count {
            let scheme = Self.schemeLength(octets, at: index)
            if scheme > 0 {
                let end = Self.endOfAuthority(octets, from: index + scheme)
                let authority = Self.folded(Array(octets[index + scheme..<end]))
                if authorities.contains(authority) {
                    let own: Scheme = scheme == Scheme.https.rawValue.utf8.count + 2 ? .https : .http
                    let expected = targets.contains(authority) ? schemes?.targets : schemes?.asked
                    if let expected, own != expected { result += own.rawValue.utf8 }
                    if end == octets.count { result.append(UInt8(ascii: "/")) }
                    index = end
                    continue
                }
            }
            result.append(octets[index])
            index += 1
        }
        return result
    }

    /// The length of `http://` or `https://` at a place, whatever their case; 0 where neither stands.
    static func schemeLength(_ octets: [UInt8], at index: Int) -> Int {
        guard octets.count - index >= 7, octets[index] | 0x20 == UInt8(ascii: "h") else { return 0 }
        for scheme in ["http://", "https://"] where octets.count - index >= scheme.utf8.count {
            if zip(octets[index...], scheme.utf8).allSatisfy({ ASCII.lowered($0) == $1 }) {
                return scheme.utf8.count
            }
        }
        return 0
    }

    private static func endOfAuthority(_ octets: [UInt8], from start: Int) -> Int {
        octets[start...].firstIndex { octet in
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: false
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["),
                UInt8(ascii: "]"), UInt8(ascii: "@"):
                false
            default: true
            }
        } ?? octets.count
    }

    /// An authority in lower case without the ports that a scheme means anyway.
    private static func folded(_ authority: [UInt8]) -> [UInt8] {
        let lowered = authority.map(ASCII.lowered)
        for port in [":80", ":443"]
        where lowered.count > port.utf8.count && lowered.suffix(port.utf8.count).elementsEqual(port.utf8) {
            return lowered.dropLast(port.utf8.count)
        }
        return lowered
    }
}
