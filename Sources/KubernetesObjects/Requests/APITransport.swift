// Wingmirror · Apache-2.0

/// Sends requests to an API server; small enough for tests to script.
package protocol APITransport: Sendable {
    /// Sends a request and returns when the head of the answer has come.
    ///
    /// - Parameter request: The request; its time limit is the caller's to keep, by cancelling the task.
    /// - Returns: The answer, its body still to be read.
    /// - Throws: `APIFailure` where no answer came.
    func send(_ request: APIRequest) async throws -> APIAnswer

    /// An answer did not come, or did not end, within its time: the next request is sent over another connection.
    func timedOut()

    /// The credentials were refused: read them again now. Returns whether there is reason to try once more at once.
    func credentialsRefused() async -> Bool
}

extension APITransport {
    /// Has no connections to give up.
    package func timedOut() {}
}

/// The head of an answer, and its body to be read once.
package struct APIAnswer: Sendable {
    /// The status code.
    package let status: Int
    /// The seconds that `Retry-After` names.
    package let retryAfter: Int?
    /// The content in pieces, decompressed.
    package let body: any AsyncSequence<[UInt8], any Error> & Sendable

    /// Puts an answer together.
    package init(
        status: Int,
        retryAfter: Int?,
        body: any AsyncSequence<[UInt8], any Error> & Sendable
    ) {
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
    }
}

/// Why no answer came, or not all of it.
package enum APIFailure: Error, Sendable, Hashable {
    /// No connection was made, or it broke; the reason, as a sentence's end.
    case connection(String)
    /// The server's certificate was not accepted, or TLS failed otherwise.
    case tls(String)
    /// The token or the certificates could not be read.
    case credentials(String)
    /// The answer took longer than the request allowed.
    case timedOut
}

/// An answer of an API server, or of what stands before it, that is no success.
package struct APIRefusal: Error, Sendable, Hashable {
    /// The status code.
    package let status: Int
    /// The server's reason in words, one line; may be empty.
    package let reason: String

    /// Names a reason.
    package init(status: Int, reason: String) {
        self.status = status
        self.reason = reason
    }

    /// Reads the reason out of the content: a `Status`, or text.
    init(status: Int, content: [UInt8]) {
        let message = APIStatus(code: status, content: content).message
        self.init(status: status, reason: message.split(whereSeparator: \.isWhitespace).joined(separator: " "))
    }
}

/// The beginning of what came with a refusal: as much as a reason takes.
struct RefusalContent {
    /// The most octets that are read.
    static let limit = 64 << 10

    /// What was read.
    private(set) var octets: [UInt8] = []

    /// Nothing was read yet.
    init() {}

    /// Reads the beginning of a body, and gives up the rest, which may have no end.
    init(beginning body: any AsyncSequence<[UInt8], any Error> & Sendable) async throws {
        for try await part in body {
            guard append(part) else { return }
        }
    }

    /// Takes a part; answers whether there is room for more.
    mutating func append(_ part: some Sequence<UInt8>) -> Bool {
        octets += part.prefix(Self.limit - octets.count)
        return octets.count < Self.limit
    }
}
