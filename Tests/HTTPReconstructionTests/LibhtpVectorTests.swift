// Wingmirror · Apache-2.0

import HTTPReconstruction
import Testing

/// The recorded conversations of libhtp, the parser of Suricata.
@Suite struct LibhtpVectorTests {
    /// Where we differ on purpose, and why; an entry that no longer differs fails.
    static let differences: [String: String] = [
        "100-response-body-data": "octets without a head, of a connection without a request, are no HTTP/1.x",
        "14-compressed-response-gzip-chunked": "content is counted without chunk framing",
        "23-http09-multiple": "too little tells requests of HTTP/0.9 without an empty line from other text",
        "31-get-request-line-nul": "a control octet in the request line makes it malformed; Envoy refuses it too",
        "36-invalid-request-1-invalid-c-l": "told as malformed, because its refusal belongs to it",
        "38-invalid-request-3-invalid-t-e": "told as malformed, because its refusal belongs to it",
        "42-unknown-method_only": "a method alone is no request",
        "49-invalid-response-headers-2": "a response with a malformed field line is malformed; Envoy answers 502",
        "78-response-no-status-headers": "a response without a status line is malformed",
        "84-response-no-status-headers-2": "a response without a status line is malformed",
        "86-partial-request-timeout": "a part of a request line is not told as a request; its refusal is",
        "89-get-whitespace": "white space before the method makes the line malformed; its refusal is told",
        "92-http_0_9-method_only": "a request of HTTP/0.9 is told as malformed, for its answer cannot be read",
        "94-compressed-response-multiple": "the status line `HTTP/1.1 200ok` is malformed",
        "98-responses-cut": "the second request's head never ends, so only its response is told",
    ]

    @Test func `the recordings give the same transactions, but for the differences listed`() throws {
        let files = try Fixtures.read("libhtp", as: LibhtpFile.self)
        #expect(files.count == 61)
        var unmet = Set(Self.differences.keys)
        for (name, file) in files {
            let found = file.differences
            if Self.differences[name] == nil {
                #expect(found == [], "\(name)")
            } else {
                #expect(found != [], "\(name) no longer differs")
                unmet.remove(name)
            }
        }
        #expect(unmet.isEmpty, "no recordings have these names")
    }

    @Test func `the recordings are told the same however they are cut`() throws {
        for (name, file) in try Fixtures.read("libhtp", as: LibhtpFile.self) {
            let record = file.conversation.record()
            #expect(record.complaints == [], "\(name)")
            guard record.failures.isEmpty, record.statistics.skippedOctets == 0 else { continue }
            for delivery in [Delivery.octetByOctet] + (0..<10).map({ .random(seed: $0) }) {
                let other = file.conversation.record(delivery)
                #expect(other.complaints == [], "\(name)")
                #expect(other.lines == record.lines, "\(name) \(delivery)")
            }
        }
    }
}

extension LibhtpFile {
    /// What we tell differently.
    var differences: [String] {
        let exchanges = conversation.read().exchanges
        var found: [String] = []
        for expectation in expected {
            if let transactions = expectation.transactions, transactions != exchanges.count {
                found.append("\(exchanges.map(\.description)) instead of \(transactions) transactions")
            }
            for fact in expectation.facts {
                guard fact.transaction < exchanges.count else {
                    found.append("no transaction \(fact.transaction)")
                    continue
                }
                found += exchanges[fact.transaction].differences(from: fact)
            }
        }
        return found
    }
}

extension SeenExchange {
    fileprivate func differences(from fact: LibhtpFile.Fact) -> [String] {
        var found: [String] = []
        func compare<Value: Equatable>(_ what: String, _ ours: Value?, _ theirs: Value?) {
            if let theirs, ours != theirs {
                found.append("\(what) \(ours.map { "\($0)" } ?? "nothing") instead of \(theirs) in \(self)")
            }
        }
        compare("method", request?.method, fact.requestMethod)
        compare("target", request?.target, fact.requestUri)
        compare("status", response?.status, fact.responseStatusNumber)
        compare("request content", request?.contentOctets, fact.requestEntityLen)
        compare("response content", response?.contentOctets, fact.responseMessageLen)
        compare("response fields", response?.fields.count, fact.responseHeadersCount)
        compare("request", requestProgress, fact.requestProgress)
        compare("response", responseProgress, fact.responseProgress)
        return found
    }

    private var isBroken: Bool {
        !integrity.isDisjoint(with: [.closedEarly, .malformed, .requestGap, .responseGap])
    }

    private var requestProgress: String {
        guard request != nil else { return "HTP_REQUEST_NOT_STARTED" }
        return isBroken && response == nil ? "broken" : "HTP_REQUEST_COMPLETE"
    }

    private var responseProgress: String {
        guard response != nil else { return "HTP_RESPONSE_NOT_STARTED" }
        return isBroken && request != nil ? "broken" : "HTP_RESPONSE_COMPLETE"
    }
}
