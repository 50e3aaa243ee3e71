// Wingmirror · Apache-2.0

import HTTPReconstruction
import TCPReassembly
import Testing
import TrafficModel

/// The vectors of llhttp, the parser of Node.js.
@Suite struct LlhttpVectorTests {
    /// Where we differ on purpose, and why; an entry that no longer differs fails.
    static let differences: [String: String] = [
        "request-connection: keep-alive / No restart when keep-alive is off (1.0)":
            "a request after the last that the server will answer is told: that it has no response is worth knowing",
        "request-content-length: Error on simultaneous `Content-Length` and `Transfer-Encoding: identity":
            "a request with framing that cannot be read is told as malformed, because its refusal belongs to it",
        "request-content-length: Spaces in `Content-Length` (surrounding) / Empty `Content-Length":
            "a request with framing that cannot be read is told as malformed, because its refusal belongs to it",
        "request-content-length: Content-Length reset when no body is received":
            "llhttp is told that a request has no content in spite of its length; nobody tells us",
        "request-connection: keep-alive / Not treating `\\r` as `-":
            "Envoy drops a CR in a value, and takes the request",
        "request-invalid: ICE protocol and GET method / Headers separated by LF":
            "LF alone ends a line (RFC 9112 §2.2)",
        "request-invalid: ICE protocol and GET method / Missing CR between headers":
            "LF alone ends a line, so that Content-Length is a field, and a request follows the content",
        "request-method: REPORT request / OPTIONS request with RTSP": "RTSP is not HTTP",
        "request-method: REPORT request / PRI request HTTP2": "PRI is a token like others but before HTTP/2.0",
        "request-sample: No HTTP version": "a request of HTTP/0.9 is told as malformed, for its answer cannot be read",
        "response-invalid: Invalid space after start line / Only LFs present": "LF alone ends a line (RFC 9112 §2.2)",
        "response-sample: RTSP response": "RTSP is not HTTP",
        "response-sample: ICE response": "ICE is not HTTP",
        "response-sample: No carriage ret": "LF alone ends a line (RFC 9112 §2.2)",
    ]

    @Test func `strict cases give the same messages, but for the differences listed`() throws {
        var checked = 0
        var unmet = Set(Self.differences.keys)
        for (file, vectors) in try Fixtures.read("llhttp", as: LlhttpFile.self) {
            for vector in vectors.cases where vector.lenient == nil {
                let name = "\(file): \(vector.name)"
                let found = vector.differences
                if Self.differences[name] == nil {
                    #expect(found == [], "\(name)")
                } else {
                    #expect(found != [], "\(name) no longer differs")
                    unmet.remove(name)
                }
                checked += 1
            }
        }
        #expect(checked == 113)
        #expect(unmet.isEmpty, "no cases have these names")
    }

    @Test func `cases for lenient parsing are survived, and told the same however they are cut`() throws {
        for (file, vectors) in try Fixtures.read("llhttp", as: LlhttpFile.self) {
            for vector in vectors.cases {
                let record = vector.conversation.record()
                #expect(record.complaints == [], "\(file): \(vector.name)")
                for seed in 0..<20 {
                    let other = vector.conversation.record(.random(seed: UInt64(seed)))
                    #expect(other.complaints == [], "\(file): \(vector.name)")
                    if vector.error == nil, vector.lenient == nil {
                        #expect(other.lines == record.lines, "\(file): \(vector.name)")
                    }
                }
            }
        }
    }
}

extension LlhttpCase {
    /// The input as one side of a connection; responses need requests to answer.
    var conversation: Conversation {
        switch kind {
        case .request: return Conversation(.octets(.fromOriginator, input.octets, acknowledging: nil))
        case .response:
            let method = skipBody == true ? "HEAD" : "GET"
            let requests = (0..<messages.count + 2).map { "\(method) /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }
            return Conversation(.client(requests.joined()), .octets(.fromResponder, input.octets, acknowledging: nil))
        }
    }

    /// What we tell differently.
    ///
    /// Where llhttp stops with an error, we may tell less, but nothing that it did not see.
    var differences: [String] {
        let told = kind == .request ? toldRequests : toldResponses
        let expected = messages.filter(\.headersComplete)
        var found: [String] = []
        if told.count > expected.count || told.count < expected.count && error == nil {
            found.append("\(told.count) messages instead of \(expected.count)")
        }
        for (ours, theirs) in zip(told, expected) { found += ours.differences(from: theirs, failed: error != nil) }
        return found
    }

    /// What is compared of a message.
    struct ToldMessage {
        var message = SeenExchange.SeenMessage()
        var version: HTTPVersion?
        /// `nil` for interim responses, of which only the status is told.
        var isComplete: Bool?
    }

    /// Without an end, what ends with the connection is not complete.
    private var ending: [Conversation.Event] {
        kind == .response && !finish ? .captureEnded : .finished
    }

    private var toldRequests: [ToldMessage] {
        conversation.read(ending: ending).exchanges.compactMap { exchange in
            guard let request = exchange.request else { return nil }
            let isComplete = exchange.integrity.isDisjoint(with: [.closedEarly, .malformed])
            return ToldMessage(message: request, version: exchange.version, isComplete: isComplete)
        }
    }

    private var toldResponses: [ToldMessage] {
        conversation.read(ending: ending).exchanges.flatMap { exchange in
            var told = exchange.interim.map { status in
                var message = SeenExchange.SeenMessage()
                message.status = status
                return ToldMessage(message: message)
            }
            if let response = exchange.response {
                let isComplete = exchange.integrity.isDisjoint(with: [.closedEarly, .malformed, .interrupted])
                told.append(ToldMessage(message: response, isComplete: isComplete))
            }
            return told
        }
    }
}

extension LlhttpCase.ToldMessage {
    fileprivate func differences(from theirs: LlhttpCase.Message, failed: Bool) -> [String] {
        var found: [String] = []
        func compare<Value: Equatable>(_ what: String, _ ours: Value, _ theirs: Value?) {
            if let theirs, ours != theirs { found.append("\(what) \(ours) instead of \(theirs)") }
        }
        compare("method", message.method, theirs.method)
        compare("target", message.target, theirs.target)
        compare("status", message.status, theirs.status)
        if let version { compare("version", version.text, theirs.version) }
        guard let isComplete else { return found }
        let fields = message.fields.map { [$0.name, $0.value.unfolded] }
        compare("fields", fields, theirs.headers.map { [$0[0], $0[1].decoded] })
        if failed { return found }
        compare("content octets", message.contentOctets, theirs.bodyLength)
        compare("content", message.content, theirs.body?.octets)
        compare("trailers", message.trailerCount, theirs.trailers?.count ?? 0)
        compare("completeness", isComplete, theirs.complete)
        return found
    }
}

extension HTTPVersion {
    fileprivate var text: String {
        switch self {
        case .http09: "0.9"
        case .http10: "1.0"
        case .http11: "1.1"
        case .http2: "2.0"
        }
    }
}

extension String {
    /// A value of the vectors: each octet is a character there, and white space at the end is left on.
    fileprivate var decoded: String {
        var octets = unicodeScalars.compactMap { UInt8(exactly: $0.value) }
        while octets.last == 0x20 || octets.last == 0x09 { octets.removeLast() }
        return String(decoding: octets, as: UTF8.self)
    }

    /// A folded value as llhttp gives it: without its line ends.
    fileprivate var unfolded: String {
        replacing("\r\n", with: "").replacing("\n", with: "")
    }
}
