// Wingmirror · Apache-2.0

import Foundation
import Synchronization

/// What tests look at of a line of records.
struct ExchangeRecord: Decodable {
    struct Request: Decodable {
        let method: String
        let contentBytes: Int
    }

    struct Response: Decodable {
        let status: Int
        let contentBytes: Int
    }

    struct Route: Decodable {
        let outcome: String
        let virtualService: String?
        let rule: Int?
    }

    let client: String
    let startTime: String
    let request: Request?
    let response: Response?
    let integrity: [String]
    let route: Route
}

extension [ExchangeRecord] {
    /// How many have each status, as text; `none` for those without a response.
    var statuses: [String: Int] {
        tally { $0.response.map { String($0.status) } ?? "none" }
    }

    /// How many have each method.
    var methods: [String: Int] {
        tally { $0.request?.method ?? "none" }
    }

    private func tally(_ key: (ExchangeRecord) -> String) -> [String: Int] {
        reduce(into: [:]) { $0[key($1), default: 0] += 1 }
    }
}

/// Takes the records of a pipeline.
final class LineCollector: Sendable {
    private let octets = Mutex<[UInt8]>([])

    func append(_ lines: Span<UInt8>) {
        octets.withLock { octets in
            for index in lines.indices { octets.append(lines[index]) }
        }
    }

    /// The lines so far.
    var lines: [Data] {
        octets.withLock { Data($0) }.split(separator: UInt8(ascii: "\n"))
    }
}
