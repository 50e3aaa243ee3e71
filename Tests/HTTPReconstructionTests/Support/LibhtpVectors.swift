// Wingmirror · Apache-2.0

import TCPReassembly

/// One file of `Fixtures/libhtp`: a recorded conversation, and what libhtp's tests assert of it.
struct LibhtpFile: Decodable {
    let blocks: [Block]
    let expected: [Expectation]

    /// Octets of one side, in order of arrival.
    struct Block: Decodable {
        let from: Side
        let data: Base64Octets

        enum Side: String, Decodable {
            case client
            case server
        }
    }

    /// The assertions of one test.
    struct Expectation: Decodable {
        let test: String
        let transactions: Int?
        let facts: [Fact]
    }

    /// Assertions about one transaction.
    struct Fact: Decodable {
        let transaction: Int
        let requestMethod: String?
        let requestUri: String?
        let responseStatusNumber: Int?
        let requestProgress: String?
        let responseProgress: String?
        let requestEntityLen: Int?
        let responseMessageLen: Int?
        let responseHeadersCount: Int?
    }

    /// The recording as a conversation.
    var conversation: Conversation {
        Conversation(
            blocks.map { block in
                .octets(block.from == .client ? .fromOriginator : .fromResponder, block.data.octets, acknowledging: nil)
            }
        )
    }
}
