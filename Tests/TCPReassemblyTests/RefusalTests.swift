// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly
import Testing

/// What is refused leaves the state as it was: the conversation around it is told as if it had never come.
@Suite struct RefusalTests {
    /// A segment that is not believed, and the counter that says so.
    struct Intruder: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let send: @Sendable (inout Conversation) -> Void
        let count: @Sendable (ReassemblyStatistics) -> Int
        /// Whether it is remembered for a while, because the other side might answer it.
        var isRemembered = false

        static let all = [
            Intruder(testDescription: "octets of the client far beyond the window") {
                $0.client(20_000_000, "far away", after: 0)
            } count: {
                $0.outOfWindowSegments
            }.remembered(),
            Intruder(testDescription: "octets of the server far beyond the window") {
                $0.server(20_000_000, "far away", after: 0)
            } count: {
                $0.outOfWindowSegments
            }.remembered(),
            Intruder(testDescription: "a RST far from what is expected") {
                $0.client(1_000_000, ack: nil, .rst, after: 0)
            } count: {
                $0.ignoredResets
            },
            Intruder(testDescription: "a SYN for the same addresses that is not answered") {
                let origin = $0.clientOrigin
                $0.clientOrigin &+= 50_000_000
                $0.client(-1, ack: nil, .syn, after: 0)
                $0.clientOrigin = origin
            } count: {
                $0.challengedSynchronizes
            }.remembered(),
        ]

        private func remembered() -> Intruder {
            var intruder = self
            intruder.isRemembered = true
            return intruder
        }
    }

    /// A conversation with holes that are filled, one that is not, and both ends.
    private static let steps: [@Sendable (inout Conversation) -> Void] = [
        { $0.client(0, "GET ") },
        { $0.client(8, "tail") },
        { $0.server(0, "", ack: 4) },
        { $0.client(4, "here") },
        { $0.server(0, "200 ", ack: 12) },
        { $0.server(7, "after a hole", ack: 12) },
        { $0.client(12, "more", ack: 19) },
        { $0.pass(500) },
        { $0.client(16, ack: 19, .fin) },
        { $0.server(19, ack: 17, .fin) },
    ]

    /// What was told, and what is held afterwards.
    private struct Outcome: Equatable {
        let events: [StreamEvent]
        let held: [Int]
        let refusals: Int

        /// Has the conversation, with the intruder in front of the step at `place`; up to `end` steps.
        init(_ intruder: Intruder, at place: Int?, until end: Int) {
            var talk = Conversation()
            talk.handshake()
            for (index, step) in RefusalTests.steps.prefix(end).enumerated() {
                if index == place { intruder.send(&talk) }
                step(&talk)
            }
            events = talk.events()
            let statistics = talk.table.statistics
            held = [
                statistics.open, statistics.halfOpen, intruder.isRemembered ? 0 : statistics.waiting,
                intruder.isRemembered ? 0 : statistics.bufferedOctets,
                statistics.deliveredOctets, statistics.connectionsOpened, statistics.connectionsClosed.total,
                statistics.gaps.total, statistics.gapOctets.total, statistics.retransmittedOctets,
                statistics.outOfOrderSegments, statistics.conflictingOctets,
            ]
            refusals = intruder.count(statistics)
        }
    }

    @Test(arguments: Intruder.all) func `what is refused changes nothing but its counter`(intruder: Intruder) {
        // Not behind the client's FIN, from where on a segment of its is late and no intruder.
        for place in 0..<Self.steps.count - 1 {
            for end in place + 1...Self.steps.count {
                let with = Outcome(intruder, at: place, until: end)
                let without = Outcome(intruder, at: nil, until: end)
                #expect(with.events == without.events, "before step \(place), after step \(end)")
                #expect(with.held == without.held, "before step \(place), after step \(end)")
                #expect(with.refusals == without.refusals + 1, "before step \(place), after step \(end)")
            }
        }
    }
}
