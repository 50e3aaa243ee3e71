// Wingmirror · Apache-2.0

import HTTPReconstruction
import OctetText
import PacketDecoding
import TCPReassembly
import Testing
import TrafficModel

/// What two ends of a connection send, as a list of events that read like a transcript.
///
/// Stream offsets, times and acknowledgements are kept while the conversation is read: unless an event says otherwise,
/// its segments acknowledge all that the other side has sent before.
struct Conversation: Sendable {
    /// Something that happens on the connection.
    enum Event: Sendable {
        case octets(StreamDirection, [UInt8], acknowledging: Int64?)
        case missing(StreamDirection, Int, MissingReason)
        /// Nobody sends anything for so many seconds.
        case passes(seconds: Int64)
        case ends(StreamDirection, StreamEnd)
        case closes(ConnectionEnd)
    }

    /// Acknowledges what is not known, as within TLS behind a hole of the other side.
    static let unknown = Int64.min

    var events: [Event]
    /// Whether the capture began before the connection did.
    var sawHandshake = true
    var limits = HTTPLimits()
    /// Whether the sink takes exchanges of odd numbers without what is known of their connection.
    var countsOdd = false
    /// What is kept of each exchange; everything unless set.
    var kept: Retention?

    init(_ events: Event..., sawHandshake: Bool = true, limits: HTTPLimits = HTTPLimits()) {
        self.init(events, sawHandshake: sawHandshake, limits: limits)
    }

    init(_ events: [Event], sawHandshake: Bool = true, limits: HTTPLimits = HTTPLimits()) {
        self.events = events
        self.sawHandshake = sawHandshake
        self.limits = limits
    }
}

extension Conversation.Event {
    /// The client sends a segment.
    static func client(_ text: String, acknowledging: Int64? = nil) -> Self {
        .octets(.fromOriginator, Array(text.utf8), acknowledging: acknowledging)
    }

    /// The server sends a segment.
    static func server(_ text: String, acknowledging: Int64? = nil) -> Self {
        .octets(.fromResponder, Array(text.utf8), acknowledging: acknowledging)
    }

    /// The client sends what the capture lacks.
    static func clientHole(_ text: String, _ reason: MissingReason = .captureLoss) -> Self {
        .missing(.fromOriginator, text.utf8.count, reason)
    }

    /// The server sends what the capture lacks.
    static func serverHole(_ text: String, _ reason: MissingReason = .captureLoss) -> Self {
        .missing(.fromResponder, text.utf8.count, reason)
    }

    /// The client sends no more.
    static let clientFinishes = Self.ends(.fromOriginator, .finished)
    /// The server sends no more.
    static let serverFinishes = Self.ends(.fromResponder, .finished)
}

extension [Conversation.Event] {
    /// Both ends send no more, and the connection is over.
    static let finished: Self = [.clientFinishes, .serverFinishes, .closes(.finished)]
    /// The client resets the connection.
    static let resetByClient: Self = [
        .ends(.fromOriginator, .resetBySender), .ends(.fromResponder, .resetByReceiver), .closes(.reset),
    ]
    /// The server resets the connection.
    static let resetByServer: Self = [
        .ends(.fromResponder, .resetBySender), .ends(.fromOriginator, .resetByReceiver), .closes(.reset),
    ]
    /// The capture ends.
    static let captureEnded: Self = [
        .ends(.fromOriginator, .abandoned), .ends(.fromResponder, .abandoned), .closes(.captureEnded),
    ]
}

/// How the octets of a conversation are cut into segments.
enum Delivery: Sendable, CustomStringConvertible {
    /// Each event is a segment.
    case asWritten
    /// What one side sends before the other speaks is one segment.
    case joined
    case octetByOctet
    /// Each event is two segments, the first with so many octets.
    case cut(after: Int)
    case random(seed: UInt64)

    var description: String {
        switch self {
        case .asWritten: "as written"
        case .joined: "joined"
        case .octetByOctet: "octet by octet"
        case .cut(let count): "cut after \(count)"
        case .random(let seed): "random, seed \(seed)"
        }
    }
}

/// What was told of a conversation.
struct Record: Equatable {
    var exchanges: [SeenExchange]
    var protocols: [ApplicationProtocol]
    var opaqueOctets: [OpaqueReason: Int]
    var failures: [ParseFailure]
    var statistics: HTTPStatistics
    var identities: Set<ConnectionFacts>
    var complaints: [String]
    /// What the field lines of each request were said to hold.
    var traits: [RequestTraits] = []
    /// The heads of responses, as `status name=value …`, and the trailer sections, as `response name=value …`.
    var responseHeads: [String] = []
    var trailerSections: [String] = []

    /// The exchanges, one line each.
    var lines: [String] { exchanges.map(\.description) }
}

extension Conversation {
    static let client = Endpoint(address: IPAddress(ipv4: 0xC000_0209), port: 51_034)
    static let server = Endpoint(address: IPAddress(ipv4: 0xC000_0201), port: 8080)

    /// Reads the conversation, and expects that what is told of it does not contradict itself.
    func read(
        _ delivery: Delivery = .asWritten,
        ending: [Event] = .finished,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Record {
        let record = record(delivery, ending: ending)
        #expect(record.complaints == [], "\(delivery)", sourceLocation: sourceLocation)
        return record
    }

    /// Reads the conversation, with `ending` after its events unless they close it.
    func record(_ delivery: Delivery = .asWritten, ending: [Event] = .finished) -> Record {
        var reader = ConversationReader(self)
        for event in cut(events, delivery) { reader.take(event) }
        for event in ending { reader.take(event) }
        return reader.finish()
    }

    private func cut(_ events: [Event], _ delivery: Delivery) -> [Event] {
        var generator = SeededGenerator(seed: 0)
        if case .random(let seed) = delivery { generator = SeededGenerator(seed: seed) }
        var result: [Event] = []
        for event in events {
            guard case .octets(let direction, let octets, let acknowledging) = event else {
                result.append(event)
                continue
            }
            var pieces: [ArraySlice<UInt8>]
            switch delivery {
            case .asWritten: pieces = [octets[...]]
            case .joined:
                if case .octets(direction, let before, acknowledging)? = result.last {
                    result[result.count - 1] = .octets(direction, before + octets, acknowledging: acknowledging)
                    continue
                }
                pieces = [octets[...]]
            case .octetByOctet: pieces = octets.indices.map { octets[$0...$0] }
            case .cut(let count): pieces = [octets.prefix(count), octets.dropFirst(count)]
            case .random:
                pieces = []
                var rest = octets[...]
                while !rest.isEmpty {
                    let count = Int.random(in: 1...max(1, min(rest.count, 40)), using: &generator)
                    pieces.append(rest.prefix(count))
                    rest = rest.dropFirst(count)
                }
            }
            for piece in pieces where !piece.isEmpty {
                result.append(.octets(direction, Array(piece), acknowledging: acknowledging))
            }
        }
        return result
    }
}

extension ConnectionIntroduction {
    /// A connection to the server that is seen from its start, from a port of the slot's own.
    static func seenFromStart(slot: Int = 0, number: Int = 0, at nanoseconds: Int64 = 0) -> ConnectionIntroduction {
        ConnectionIntroduction(
            slot: slot,
            number: number,
            originator: Endpoint(address: Conversation.client.address, port: UInt16(1_024 + slot)),
            responder: Conversation.server,
            time: PacketTime(nanoseconds: nanoseconds),
            sawHandshake: true
        )
    }
}

/// Feeds the events of one conversation to a reconstructor.
struct ConversationReader: ~Copyable {
    private var reconstructor: HTTPReconstructor<RecordingSink>
    private var sent: [StreamDirection: Int64] = [.fromOriginator: 0, .fromResponder: 0]
    private var nanoseconds: Int64 = 1_790_000_000_000_000_000
    private var isClosed = false

    init(_ conversation: Conversation) {
        var sink = RecordingSink()
        sink.countsOdd = conversation.countsOdd
        if let kept = conversation.kept { sink.kept = kept }
        reconstructor = HTTPReconstructor(sink: sink, limits: conversation.limits)
        reconstructor.connectionOpened(
            ConnectionIntroduction(
                slot: 0,
                number: 0,
                originator: Conversation.client,
                responder: Conversation.server,
                time: PacketTime(nanoseconds: nanoseconds),
                sawHandshake: conversation.sawHandshake
            )
        )
    }

    /// How many exchanges are not complete.
    var pendingExchanges: Int { reconstructor.pendingExchanges }

    /// Feeds one event; nothing happens after the close.
    mutating func take(_ event: Conversation.Event) {
        guard !isClosed else { return }
        nanoseconds += 1_000_000
        let time = PacketTime(nanoseconds: nanoseconds)
        switch event {
        case .octets(let direction, let octets, let acknowledging):
            guard !octets.isEmpty else { return }
            let latest = acknowledging ?? sent[direction.reversed, default: 0]
            let acknowledged = latest == Conversation.unknown ? nil : latest
            let position = position(direction, acknowledged, time)
            reconstructor.octetsArrived(octets.span, at: position, slot: 0)
            sent[direction, default: 0] += Int64(octets.count)
        case .missing(let direction, let count, let reason):
            guard count > 0 else { return }
            reconstructor.octetsMissing(count, reason: reason, at: position(direction, nil, time), slot: 0)
            sent[direction, default: 0] += Int64(count)
        case .passes(let seconds):
            nanoseconds += seconds * 1_000_000_000
        case .ends(let direction, let end):
            reconstructor.streamEnded(direction, end, at: time, slot: 0)
        case .closes(let reason):
            reconstructor.connectionClosed(reason, at: time, slot: 0)
            isClosed = true
        }
    }

    /// Lets time pass in which no packet comes.
    mutating func timePasses(seconds: Int64) {
        nanoseconds += seconds * 1_000_000_000
        reconstructor.timePassed(until: PacketTime(nanoseconds: nanoseconds))
    }

    private func position(_ direction: StreamDirection, _ acknowledged: Int64?, _ time: PacketTime) -> StreamPosition {
        StreamPosition(
            direction: direction,
            offset: sent[direction, default: 0],
            time: time,
            acknowledged: acknowledged,
            startsSegment: acknowledged != nil
        )
    }

    /// Closes the connection if that did not happen, and answers what was told.
    consuming func finish() -> Record {
        take(.closes(.captureEnded))
        if reconstructor.sink.closings != 1 { reconstructor.sink.complaints.append("the close was not told once") }
        if reconstructor.pendingExchanges > 0 {
            reconstructor.sink.complaints.append(
                "\(reconstructor.pendingExchanges) exchanges are pending after the close"
            )
        }
        let sink = reconstructor.sink
        return Record(
            exchanges: sink.exchanges,
            protocols: sink.protocols,
            opaqueOctets: sink.opaqueOctets,
            failures: sink.failures,
            statistics: reconstructor.statistics,
            identities: sink.identities,
            complaints: sink.complaints,
            traits: sink.traits,
            responseHeads: sink.responseHeads,
            trailerSections: sink.trailerSections
        )
    }
}
