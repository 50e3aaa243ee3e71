// Wingmirror · Apache-2.0

/// One file of `Fixtures/llhttp`.
struct LlhttpFile: Decodable {
    let cases: [LlhttpCase]
}

/// An input, and what llhttp makes of it.
struct LlhttpCase: Decodable, Sendable {
    let name: String
    let kind: Kind
    /// The one rule that is loosened; `nil` when none is.
    let lenient: String?
    /// Whether the input is followed by the end of the stream.
    let finish: Bool
    let input: Base64Octets
    let messages: [Message]
    let error: Failure?
    /// Whether llhttp is told that messages have no content, as for the answer to HEAD.
    let skipBody: Bool?

    enum Kind: String, Decodable {
        case request
        case response
    }

    struct Failure: Decodable {
        let reason: String
    }

    struct Message: Decodable {
        let method: String?
        let target: String?
        let version: String?
        let status: Int?
        let headers: [[String]]
        let bodyLength: Int
        let body: Base64Octets?
        let trailers: [[String]]?
        let complete: Bool
        let headersComplete: Bool
    }
}
