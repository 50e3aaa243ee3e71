// Wingmirror · Apache-2.0

import Foundation
import HTTPReconstruction
import OctetText
import PacketDecoding
import TCPReassembly
import TestTraits
import Testing

/// Conversations as a capture may show them: disturbed in every way that is known, and never paired wrongly.
///
/// Each answer says which request it answers, so a wrong pair shows itself. `WINGMIRROR_FUZZ_CONVERSATIONS` sets how many
/// conversations each mode has, and `WINGMIRROR_FUZZ_SEED` the first seed.
@Suite(.heavy) struct ConversationFuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let conversations = environment["WINGMIRROR_FUZZ_CONVERSATIONS"].flatMap { Int($0) } ?? 40
    private static let firstSeed = environment["WINGMIRROR_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1

    @Test(.timeLimit(.minutes(20)), arguments: Disturbance.allCases)
    func `no answer is given to another request`(disturbance: Disturbance) {
        var exchanges = 0
        var paired = 0
        var wrong: [String] = []
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(Self.conversations) {
            var conversation = DisturbedConversation(disturbance, seed: seed)
            let outcome = conversation.read()
            exchanges += conversation.requests
            paired += outcome.paired
            if !outcome.wrong.isEmpty { wrong.append("seed \(seed): \(outcome.wrong.joined(separator: ", "))") }
        }
        #expect(wrong.isEmpty, "\(disturbance), first of \(wrong.count): \(wrong.prefix(2))")
        // The test would be idle if nothing were paired; where nothing is lost, everything is.
        #expect(paired * 100 >= exchanges * disturbance.leastPaired, "\(disturbance): \(paired) of \(exchanges)")
    }

    /// Conversations in which something was wrong once.
    private static let kept: [(disturbance: Disturbance, seed: UInt64)] = [
        (.jitter, 3347), (.jitter, 9295), (.loss, 4495), (.lateJoin, 8440), (.everything, 2497), (.everything, 3519),
        (.everything, 5317), (.everything, 8418), (.everything, 8800), (.everything, 10_223), (.everything, 10_783),
        (.everything, 17_411), (.everything, 60_108), (.everything, 78_318), (.everything, 2_011_008),
        (.everything, 2_016_525), (.everything, 2_023_306), (.everything, 2_023_487),
    ]

    @Test(arguments: kept)
    func `what was paired wrongly once is not again`(disturbance: Disturbance, seed: UInt64) {
        var conversation = DisturbedConversation(disturbance, seed: seed)
        #expect(conversation.read().wrong == [])
    }
}

/// What happens to a conversation between the wire and the agent.
enum Disturbance: String, CaseIterable, CustomTestStringConvertible {
    case none, skew, clocks, jitter, duplication, loss, bursts, lateJoin, upgrades, pipelining, everything

    var testDescription: String { rawValue }

    /// How many of a hundred exchanges are paired at least.
    fileprivate var leastPaired: Int {
        switch self {
        case .none, .skew, .clocks, .duplication, .pipelining: 100
        case .jitter: 95
        case .upgrades, .loss, .lateJoin: 50
        case .bursts, .everything: 25
        }
    }
}

/// One connection with numbered requests, and the order in which its segments reach the agent.
private struct DisturbedConversation {
    private let disturbance: Disturbance
    private var generator: SeededGenerator
    private var segments: [Segment] = []
    private(set) var requests = 0
    private var now = 0.0
    private var sent: [StreamDirection: Int] = [.fromOriginator: 0, .fromResponder: 0]

    private struct Segment {
        var direction: StreamDirection
        var offset: Int
        var acknowledged: Int?
        var flags: TCPFlags
        var octets: [UInt8]
        /// Milliseconds: when it was on the wire, which stamp it has, and when the agent gets it.
        var time: Double
        var stamp: Double
        var arrival: Double
        /// Whether it may be lost.
        var mayBeLost: Bool
    }

    init(_ disturbance: Disturbance, seed: UInt64) {
        self.disturbance = disturbance
        generator = SeededGenerator(seed: seed)
    }

    private func has(_ other: Disturbance) -> Bool { disturbance == other || disturbance == .everything }

    // MARK: - On the wire

    private mutating func talk() {
        send(.fromOriginator, [], flags: .syn, offset: -1, acknowledges: false)
        send(.fromResponder, [], flags: .syn, offset: -1)
        send(.fromOriginator, [])
        let window = has(.pipelining) ? [1, 2, 3, 5].randomElement(using: &generator) ?? 1 : 1
        // A client that pipelines shows that before anything is lost.
        let lossless = window > 1 ? 2 * window + 1 : 0
        let count = lossless + Int.random(in: 4...16, using: &generator)
        var asked = 0
        while asked < count {
            let round = min(window, count - asked)
            for index in asked..<asked + round { ask(index, mayBeLost: asked >= lossless) }
            for index in asked..<asked + round { answer(index, mayBeLost: asked >= lossless) }
            asked += round
            pause(5...50)
        }
        requests = count
        send(.fromOriginator, [], flags: .fin)
        sent[.fromOriginator, default: 0] += 1
        send(.fromResponder, [], flags: .fin)
        sent[.fromResponder, default: 0] += 1
        send(.fromOriginator, [])
    }

    private mutating func ask(_ index: Int, mayBeLost: Bool) {
        let isPost = generator.oneIn(3)
        var head = "\(isPost ? "POST" : "GET") /r/\(index) HTTP/1.1\r\nHost: h\r\n"
        if has(.upgrades), generator.oneIn(3) {
            head += "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        }
        if generator.oneIn(3) { head += "X-Filler: \(String(repeating: "f", count: 300))\r\n" }
        let content = isPost ? randomContent() : []
        if isPost { head += "Content-Length: \(content.count)\r\n" }
        cut(Array((head + "\r\n").utf8) + content, .fromOriginator, mayBeLost)
        pause(0...3)
    }

    private mutating func answer(_ index: Int, mayBeLost: Bool) {
        pause(1...20)
        let content = randomContent()
        let head = "HTTP/1.1 \([200, 404, 503][index % 3]) Reason\r\nX-Answers: /r/\(index)\r\n"
        var octets = Array(head.utf8)
        if generator.oneIn(2) {
            octets += Array("Content-Length: \(content.count)\r\n\r\n".utf8) + content
        } else {
            octets += Array("Transfer-Encoding: chunked\r\n\r\n".utf8)
            if !content.isEmpty {
                octets += Array("\(String(content.count, radix: 16))\r\n".utf8) + content + [0x0D, 0x0A]
            }
            octets += Array("0\r\n\r\n".utf8)
        }
        cut(octets, .fromResponder, mayBeLost)
        pause(0...2)
        send(.fromOriginator, [])
    }

    private mutating func randomContent() -> [UInt8] {
        let parts = [
            "word ", "line\r\n", "GET /quoted HTTP/1.1\r\nHost: q\r\n\r\n", "xxxxxxxxxx", "0\r\n\r\n",
            "PUT /quoted HTTP/1.1\r\nHost: q\r\nContent-Length: 400\r\n\r\n",
            "HTTP/1.1 200 Quoted\r\nContent-Length: 0\r\n\r\n",
        ]
        var content: [UInt8] = []
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            content += Array((parts.randomElement(using: &generator) ?? "").utf8)
        }
        return content + Array("end".utf8)
    }

    private mutating func pause(_ range: ClosedRange<Double>) {
        now += Double.random(in: range, using: &generator)
    }

    /// Sends octets in a few segments.
    private mutating func cut(_ octets: [UInt8], _ direction: StreamDirection, _ mayBeLost: Bool) {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = generator.oneIn(3) ? Int.random(in: 1...rest.count, using: &generator) : rest.count
            send(direction, Array(rest.prefix(count)), mayBeLost: mayBeLost)
            rest = rest.dropFirst(count)
            now += 0.05
        }
    }

    private mutating func send(
        _ direction: StreamDirection,
        _ octets: [UInt8],
        flags: TCPFlags = [],
        offset: Int? = nil,
        acknowledges: Bool = true,
        mayBeLost: Bool = false
    ) {
        now += 0.1
        let received = offset == nil || !acknowledges ? sent[direction.reversed, default: 0] : 0
        segments.append(
            Segment(
                direction: direction,
                offset: offset ?? sent[direction, default: 0],
                acknowledged: acknowledges ? received : nil,
                flags: flags,
                octets: octets,
                time: now,
                stamp: now,
                arrival: now,
                mayBeLost: mayBeLost
            )
        )
        sent[direction, default: 0] += octets.count
    }

    // MARK: - At the agent

    private mutating func disturb() {
        if has(.loss) { segments.removeAll { $0.mayBeLost && !$0.octets.isEmpty && generator.oneIn(20) } }
        if has(.bursts) {
            var left = 0
            segments.removeAll { segment in
                if left == 0, generator.oneIn(60) { left = 4 }
                guard left > 0, segment.mayBeLost else { return false }
                left -= 1
                return true
            }
        }
        if disturbance == .lateJoin || disturbance == .everything && generator.oneIn(4) {
            segments.removeFirst(Int.random(in: 0..<segments.count * 2 / 3, using: &generator))
        }
        let skew = has(.skew) ? Double.random(in: -45...45, using: &generator) : 0
        let clock = has(.clocks) ? Double.random(in: -400...400, using: &generator) : 0
        for index in segments.indices where segments[index].direction == .fromResponder {
            segments[index].arrival += skew
            segments[index].stamp += clock
        }
        if has(.jitter) {
            for index in segments.indices { segments[index].arrival += Double.random(in: 0...8, using: &generator) }
        }
        if has(.duplication) {
            for segment in segments where generator.oneIn(5) {
                var again = segment
                again.arrival += Double.random(in: 0...40, using: &generator)
                again.stamp = again.stamp + again.arrival - segment.arrival
                segments.append(again)
            }
        }
        // A stable order, so that equal arrivals come as they were sent.
        let order = segments.indices.sorted { (segments[$0].arrival, $0) < (segments[$1].arrival, $1) }
        segments = order.map { segments[$0] }
    }

    /// Makes the conversation up, and says how many exchanges were paired, and which wrongly.
    mutating func read() -> (paired: Int, wrong: [String]) {
        talk()
        disturb()
        var table = ConnectionTable()
        var reconstructor = HTTPReconstructor(sink: RecordingSink())
        var latest = PacketTime(nanoseconds: 0)
        for segment in segments {
            let isClient = segment.direction == .fromOriginator
            latest = PacketTime(nanoseconds: 1_790_000_000_000_000_000 + Int64(segment.stamp * 1_000_000))
            let arrived = TCPSegment(
                source: isClient ? Conversation.client : Conversation.server,
                destination: isClient ? Conversation.server : Conversation.client,
                sequenceNumber: SequenceNumber(
                    (isClient ? 1_000 : 9_000) &+ UInt32(truncatingIfNeeded: segment.offset)
                ),
                acknowledgementNumber: SequenceNumber(
                    (isClient ? 9_000 : 1_000) &+ UInt32(truncatingIfNeeded: segment.acknowledged ?? 0)
                ),
                flags: segment.acknowledged == nil ? segment.flags : segment.flags.union(.ack),
                identification: 0,
                payload: 0..<segment.octets.count,
                truncatedOctets: 0
            )
            table.segmentArrived(arrived, octets: segment.octets.span, at: latest, interface: 0, into: &reconstructor)
        }
        table.captureEnded(at: latest, into: &reconstructor)
        var paired = 0
        var wrong: [String] = []
        for exchange in reconstructor.sink.exchanges {
            guard let target = exchange.request?.target else { continue }
            if !target.hasPrefix("/r/") { wrong.append("phantom \(exchange)") }
            guard let answered = exchange.response?.value(of: "x-answers") else {
                if exchange.integrity.isEmpty { wrong.append("silent \(exchange)") }
                continue
            }
            paired += 1
            if answered != target { wrong.append("\(exchange) has the answer to \(answered)") }
        }
        return (paired, wrong)
    }
}
