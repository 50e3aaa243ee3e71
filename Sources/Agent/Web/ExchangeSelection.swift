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
    private var client: String?
    private var host: String?
    private var method: String?
    private var path: String?
    private var slower: Int64?
    private var statuses: [WantedStatus] = []

    /// Reads the conditions of a question.
    ///
    /// `after` is the number of an exchange, of which later ones are wanted; `client` an address; `host` the Host field
    /// without regard to case; `path` the beginning of the target; `slower` a time such as `1s`; `status` may occur several
    /// times, of which one must hold.
    init(_ question: AdminQuestion) throws(Refusal) {
        client = question.value("client")
        host = question.value("host")?.lowercased()
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
                    reason: "status: expected a status such as 404, a class such as 4xx, or none, found \"\(text)\""
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
        if let slower, (facts.durationNanoseconds ?? .min) <= slower { return false }
        if !statuses.isEmpty, !statuses.contains(where: { $0.contains(facts.status) }) { return false }
        if let client, facts.connection.originalClient.address.description != client { return false }
        if method == nil, host == nil, path == nil { return true }
        guard let request = exchange.request else { return false }
        if let method, request.method != method { return false }
        if let host, request.authority?.lowercased() != host { return false }
        if let path, !request.target.hasPrefix(path) { return false }
        return true
    }
}
