// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import HTTPReconstruction
import OctetText
import PacketDecoding
import TrafficPipeline

/// Which of the exchanges that were kept somebody wants to see; every condition must hold.
struct ExchangeSelection: Sendable {
    /// Why a question selects nothing that there could be.
    struct Refusal: Error {
        /// A sentence.
        let reason: String
    }

    /// The parameters of a question that select.
    static let parameters = ["after", "client", "host", "method", "path", "slower", "status"]

    private var after = Int.min
    private var client: AddressRange?
    private var host: WantedHost?
    private var method: String?
    private var path: String?
    private var slower: Int64?
    private var statuses: [WantedStatus] = []

    /// Reads the conditions of a question.
    ///
    /// `after` is the number of an exchange, of which later ones are wanted; `client` an address or a prefix; `host` the Host
    /// field without regard to case, and to its port where none is asked for; `path` the beginning of the target; `slower` a time
    /// such as `1s`, which the exchange took or the request waited in vain; `status` may occur several times, of which one must
    /// hold.
    init(_ question: AdminQuestion) throws(Refusal) {
        if let text = question.value("client") {
            guard let range = AddressRange(text) else {
                throw Refusal(reason: "client: \(AddressRange.refusal(of: text))")
            }
            client = range
        }
        if question.value("host")?.isEmpty == true { throw Refusal(reason: "host: expected a host, found \"\"") }
        host = question.value("host").map { WantedHost($0) }
        if let text = question.value("path"), let refusal = PathPrefix.refusal(of: text) {
            throw Refusal(reason: "path: \(refusal)")
        }
        method = question.value("method")?.uppercased()
        path = question.value("path")
        if let text = question.value("after") {
            guard let number = Int(text) else {
                throw Refusal(reason: "after: expected the number of an exchange, found \"\(text)\"")
            }
            after = number
        }
        if let text = question.value("slower") {
            guard let time = Duration(text: text), time >= .zero else {
                throw Refusal(reason: "slower: expected a time such as 1s or 250ms, found \"\(text)\"")
            }
            slower = time.nanoseconds
        }
        for text in question.values("status") {
            guard let status = WantedStatus(text) else {
                throw Refusal(
                    reason:
                        "status: expected a status such as 404, a class such as 4xx, none or unknown, found \"\(text)\""
                )
            }
            statuses.append(status)
        }
    }

    /// Those of `exchanges` for which every condition holds, in the same order.
    func select(_ exchanges: [RecentExchange]) -> [RecentExchange] {
        exchanges.filter(isWanted)
    }

    private func isWanted(_ exchange: RecentExchange) -> Bool {
        let facts = exchange.facts
        guard exchange.number > after else { return false }
        if let slower {
            let lasted = facts.brokenOffNanoseconds ?? facts.durationNanoseconds ?? facts.unansweredNanoseconds
            guard let lasted, lasted > slower else { return false }
        }
        let isSeen = facts.isAnswerSeen
        if !statuses.isEmpty, !statuses.contains(where: { $0.contains(facts.status, isSeen: isSeen) }) { return false }
        if let client, !client.contains(facts.connection.originalClient.address) { return false }
        if method == nil, host == nil, path == nil { return true }
        guard let request = exchange.request else { return false }
        if let method, request.method != method { return false }
        if let host, !host.contains(request.authority ?? "", isSecured: facts.connection.isSecured) { return false }
        if let path, !request.target.hasPrefix(path) { return false }
        return true
    }
}

/// The beginning of a request target that requests are chosen by.
package enum PathPrefix {
    /// Why no target begins like that; `nil` where one may.
    package static func refusal(of text: String) -> String? {
        // OPTIONS has the target `*`, and clients of a proxy ask for a whole URL.
        let isTarget = text.isEmpty || text.hasPrefix("/") || text == "*" || text.contains("://")
        return isTarget ? nil : "expected a path such as /products, found \"\(text)\""
    }
}

/// A host that somebody wants to see requests for: at any port, or at one.
struct WantedHost: Sendable, Equatable {
    private let name: String
    private let port: Int?

    /// Reads `shop.example.com`, `shop.example.com:8080` or `[2001:db8::1]:80`; an address of IPv6 needs no brackets.
    init(_ text: String) {
        let isBare = text.contains(":") && IPAddress(text) != nil
        (name, port) = Self.parts(isBare ? "[\(text)]" : text)
    }

    /// Whether an authority, as a request named it, is that host; without a port it has the scheme's.
    func contains(_ authority: String, isSecured: Bool) -> Bool {
        let (name, port) = Self.parts(authority)
        return name == self.name && (self.port == nil || self.port == port ?? (isSecured ? 443 : 80))
    }

    private static func parts(_ text: String) -> (name: String, port: Int?) {
        let text = text.lowercased()
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), port >= 0 else {
            return (text, nil)
        }
        let name = text[..<colon]
        // An address of IPv6 without brackets has no port.
        guard !name.contains(":") || name.hasSuffix("]") else { return (text, nil) }
        return (String(name), port)
    }
}
