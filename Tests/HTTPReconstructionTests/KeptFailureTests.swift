// Wingmirror · Apache-2.0

import HTTPReconstruction
import Testing

/// Conversations of `Fixtures/failures`, each of which once failed.
@Suite struct KeptFailureTests {
    private struct File: Decodable {
        let events: [Event]

        struct Event: Decodable {
            let client: String?
            let server: String?
            let clientHole: String?
            let serverHole: String?

            var conversationEvent: Conversation.Event {
                if let client { return .client(client) }
                if let server { return .server(server) }
                return clientHole.map { .clientHole($0) } ?? .serverHole(serverHole ?? "")
            }
        }
    }

    @Test func `what once failed is read in every way of cutting it`() throws {
        let files = try Fixtures.read("failures", as: File.self)
        #expect(files.count >= 5)
        for (name, file) in files {
            let conversation = Conversation(file.events.map(\.conversationEvent))
            let deliveries = [Delivery.asWritten, .joined, .octetByOctet] + (1...20).map { Delivery.random(seed: $0) }
            for delivery in deliveries {
                for ending in [[Conversation.Event].finished, .resetByClient, .captureEnded] {
                    let record = conversation.record(delivery, ending: ending)
                    #expect(record.complaints == [], "\(name), \(delivery)")
                }
            }
        }
    }
}
