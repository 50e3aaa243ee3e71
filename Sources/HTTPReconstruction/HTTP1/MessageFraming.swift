// Wingmirror · Apache-2.0
// Message body length: RFC 9112 §6.3. This is the one place that states it.

/// How the content of a message ends.
enum MessageFraming: Hashable {
    /// There is no content.
    case none
    case octets(Int64)
    case chunked
    case untilClose
    /// Nobody can tell where the next message begins, for this reason.
    case unknown(ParseFailure)

    /// Whether the message ends with its head.
    var isEmpty: Bool { self == .none || self == .octets(0) }
}

extension MessageHead {
    /// How the content of this request is framed.
    var requestFraming: MessageFraming {
        switch (transferCoding, contentLength) {
        case (.chunked, _): .chunked
        case (.other, _): .unknown(.transferCoding)
        case (.absent, .octets(let count)): .octets(count)
        case (.absent, .absent): .none
        case (.absent, .conflicting), (.absent, .invalid): .unknown(.contentLength)
        }
    }

    /// How the content of this response is framed, when it answers a request of `method`.
    func responseFraming(to method: RequestMethod) -> MessageFraming {
        if status < 200 || status == 204 || status == 304 || method == .head { return .none }
        // What follows the answer to CONNECT is the tunnel's.
        if method == .connect, status < 300 { return .none }
        switch (transferCoding, contentLength) {
        case (.chunked, _): return .chunked
        case (.other, _), (.absent, .absent): return .untilClose
        case (.absent, .octets(let count)): return .octets(count)
        case (.absent, .conflicting), (.absent, .invalid): return .unknown(.contentLength)
        }
    }
}
