// Wingmirror · Apache-2.0

import HTTPReconstruction
import OctetText
import TCPReassembly
import TestTraits
import Testing

/// Fixtures, broken in ways that a seed repeats: nothing traps, everything ends, and no memory stays behind.
@Suite(.heavy) struct MutationTests {
    @Test func `broken recordings and vectors are survived`() throws {
        var conversations = try Fixtures.read("libhtp", as: LibhtpFile.self).map(\.file.conversation)
        for (_, file) in try Fixtures.read("llhttp", as: LlhttpFile.self) {
            conversations += file.cases.map(\.conversation)
        }
        #expect(conversations.count == 61 + 133)
        for (number, conversation) in conversations.enumerated() {
            for round in 0..<40 {
                let seed = UInt64(number * 1000 + round)
                let record = conversation.mutated(seed: seed).record(.random(seed: seed), ending: .captureEnded)
                #expect(record.complaints == [], "conversation \(number), seed \(seed)")
                if !record.complaints.isEmpty { return }
            }
        }
    }

    @Test func `no conversation holds more than the limits allow`() throws {
        var limits = HTTPLimits()
        limits.pendingExchanges = 5
        limits.headOctets = 300
        for (number, fixture) in try Fixtures.read("libhtp", as: LibhtpFile.self).enumerated() {
            for round in 0..<10 {
                let seed = UInt64(number * 1000 + round)
                // The same again and again on one connection, with ever other damage.
                var reader = ConversationReader(Conversation([], sawHandshake: round % 2 == 0, limits: limits))
                for turn in 0..<12 {
                    for event in fixture.file.conversation.mutated(seed: seed + UInt64(turn) * 100).events {
                        reader.take(event)
                        #expect(reader.pendingExchanges <= 2 * limits.pendingExchanges + 2, "seed \(seed)")
                    }
                }
                let record = reader.finish()
                #expect(record.complaints == [], "conversation \(number), seed \(seed)")
            }
        }
    }

    @Test func `octets of no meaning are survived`() {
        var generator = SeededGenerator(seed: 7)
        let words = [
            "GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "Host: h\r\n", "\r\n", "\n", "\r", "0\r\n\r\n",
            "5\r\nhello\r\n", ":", " ",
            "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Connection: upgrade\r\nUpgrade: websocket\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "Expect: 100-continue\r\n",
            "CONNECT h:1 HTTP/1.1\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{16}\u{3}\u{1}", "ffffffffffffffff\r\n", "HEAD / HTTP/1.0\r\n", "\0",
            "é",
        ]
        for round in 0..<4000 {
            var events: [Conversation.Event] = []
            for _ in 0..<Int.random(in: 1..<12, using: &generator) {
                let text = (0..<Int.random(in: 1..<6, using: &generator))
                    .map { _ in words.randomElement(using: &generator) ?? "" }.joined()
                switch Int.random(in: 0..<8, using: &generator) {
                case 0: events.append(.clientHole(text))
                case 1: events.append(.serverHole(text))
                case 2...4: events.append(.client(text))
                default: events.append(.server(text))
                }
            }
            var conversation = Conversation(events, sawHandshake: generator.oneIn(2))
            conversation.limits.headOctets = 80
            let endings: [[Conversation.Event]] = [.finished, .resetByClient, .resetByServer, .captureEnded]
            let ending = endings.randomElement(using: &generator) ?? .finished
            let record = conversation.record(.random(seed: UInt64(round)), ending: ending)
            #expect(record.complaints == [], "round \(round)")
            if !record.complaints.isEmpty { return }
        }
    }
}

extension Conversation {
    /// The conversation with octets changed, taken out, doubled or lost.
    func mutated(seed: UInt64) -> Conversation {
        var generator = SeededGenerator(seed: seed)
        var result = self
        result.events = []
        for event in events {
            guard case .octets(let direction, var octets, _) = event, !octets.isEmpty else { continue }
            for _ in 0..<Int.random(in: 0..<4, using: &generator) where !octets.isEmpty {
                let index = Int.random(in: 0..<octets.count, using: &generator)
                let end = min(octets.count, index + Int.random(in: 1..<9, using: &generator))
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: octets[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: octets.removeSubrange(index..<end)
                case 2: octets.insert(contentsOf: octets[index..<end], at: index)
                case 3: octets[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                default:
                    octets.insert(contentsOf: [0x0D, 0x0A].prefix(Int.random(in: 1...2, using: &generator)), at: index)
                }
            }
            if generator.oneIn(4), octets.count > 2 {
                let cut = Int.random(in: 1..<octets.count, using: &generator)
                result.events.append(.octets(direction, Array(octets[..<cut]), acknowledging: nil))
                result.events.append(.missing(direction, Int.random(in: 1...40, using: &generator), .captureLoss))
                result.events.append(.octets(direction, Array(octets[cut...]), acknowledging: nil))
            } else {
                result.events.append(.octets(direction, octets, acknowledging: nil))
            }
        }
        if generator.oneIn(3) { result.events.reverse() }
        if generator.oneIn(3) { result.sawHandshake = false }
        return result
    }
}
