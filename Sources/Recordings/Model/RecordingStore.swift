// Wingmirror · Apache-2.0

internal import Synchronization
public import TrafficModel

/// Takes the exchanges of recordings as they are read: in memory while there is room, and from then on in a scratch file.
///
/// In memory stay the places of exchanges, so that they can be ordered, and joined with answers that come later. Where the scratch
/// file cannot be written, memory takes what it would have taken, and whoever reads looks at ``octetsInMemory``.
public final class RecordingStore: Sendable {
    /// Octets of memory for the place of each exchange: a list that grows has half of it in reserve, and those that are chosen to be sent
    /// are in a second one, beside when they are due.
    private static let placeOctets = 96

    private let state: Mutex<State>

    /// Makes a store without exchanges.
    ///
    /// - Parameters:
    ///   - room: How many octets stay in memory before the scratch file is used.
    ///   - scratch: Where they go then; `nil` for nowhere.
    public init(room: Int = .max, scratch: (any RecordingScratch)? = nil) {
        state = Mutex(State(room: room, scratch: scratch))
    }

    /// How many octets of memory the exchanges take that are here.
    public var octetsInMemory: Int {
        state.withLock { $0.tail.count + $0.places.count * Self.placeOctets }
    }

    /// Why the scratch file could not be written, so that all that came then is in memory; `nil` where it could.
    public var failure: String? { state.withLock { $0.failure } }

    /// Why exchanges could not be read again; `nil` where they could.
    var loss: String? { state.withLock { $0.loss } }

    // MARK: - Writing

    /// Adds an exchange.
    ///
    /// - Returns: Its number, from 0.
    @discardableResult
    public func append(_ exchange: RecordedExchange) -> Int {
        var writer = EntryWriter()
        writer.add(false)
        writer.add(exchange)
        return state.withLock { state in
            let piece = state.add(writer.octets)
            state.places.append(
                Place(start: exchange.startTime, piece: piece, number: UInt32(clamping: state.places.count))
            )
            return state.places.count - 1
        }
    }

    /// Adds an exchange with its replayed answers.
    public func append(_ entry: RecordingEntry) {
        let number = append(entry.exchange)
        for answer in entry.replayed { append(.replayed(answer), to: number) }
    }

    /// Adds a part to the exchange with a number.
    func append(_ part: RecordingPart, to number: Int) {
        state.withLock { state in
            let before = state.places[number].piece
            var writer = EntryWriter()
            writer.add(true)
            writer.add(Int64(before.offset))
            writer.add(Int64(before.count))
            writer.add(part)
            state.places[number].piece = state.add(writer.octets)
        }
    }

    /// Keeps a part whose exchange is not there yet.
    func keep(_ part: RecordingPart) -> Piece {
        var writer = EntryWriter()
        writer.add(part)
        return state.withLock { $0.add(writer.octets) }
    }

    /// Hands over the exchanges, the earliest first; those of one moment as they came.
    public func takeEntries() -> RecordingEntries {
        let places = state.withLock { state in
            defer { state.places = [] }
            // Most files are in order already.
            let isInOrder = state.places.indices.dropFirst()
                .allSatisfy { state.places[$0 - 1].start <= state.places[$0].start }
            if !isInOrder { state.places.sort { ($0.start, $0.number) < ($1.start, $1.number) } }
            return state.places
        }
        return RecordingEntries(places, in: self)
    }

    // MARK: - Reading

    /// A part that was kept; `nil` where it cannot be read.
    func part(_ piece: Piece) -> RecordingPart? {
        guard var reader = reader(of: piece) else { return nil }
        let part = reader.part()
        return reader.isDamaged ? nil : part
    }

    /// The exchange at a place with its parts; one without a method where it cannot be read.
    func entry(_ place: Place) -> RecordingEntry {
        var parts: [RecordingPart] = []
        var piece = place.piece
        while var reader = reader(of: piece) {
            guard reader.isSo() else {
                var entry = RecordingEntry(exchange: reader.exchange())
                guard !reader.isDamaged else { break }
                for part in parts.reversed() { entry.add(part) }
                return entry
            }
            let (offset, count) = (reader.number(), reader.number())
            parts.append(reader.part())
            // What comes before it lies before it, or it is damaged.
            guard !reader.isDamaged, offset < Int64(piece.offset) else { break }
            piece = Piece(offset: Int(offset), count: UInt32(clamping: count))
        }
        state.withLock { $0.loss = "a temporary file cannot be read" }
        let nothing = RecordedRequest(method: "", target: [], message: RecordedMessage(fields: []))
        return RecordingEntry(exchange: RecordedExchange(request: nothing, connection: -1, startTime: place.start))
    }

    private func reader(of piece: Piece) -> EntryReader? {
        let (octets, scratch) = state.withLock { state in (state.tailOctets(of: piece), state.scratch) }
        if let octets { return EntryReader(octets) }
        return scratch?.octets(at: piece.offset, count: Int(piece.count)).map { EntryReader($0) }
    }
}

extension RecordingStore {
    /// Where octets lie that were added together.
    struct Piece {
        let offset: Int
        let count: UInt32
    }

    /// An exchange: when it began, and where the last of its parts lies.
    struct Place {
        let start: Int64
        var piece: Piece
        let number: UInt32
    }

    private struct State {
        /// How many octets are written together, once there is a scratch file.
        private static let pieceOctets = 1 << 20

        let room: Int
        let scratch: (any RecordingScratch)?
        /// What is behind the octets in the scratch file.
        var tail: [UInt8] = []
        var places: [Place] = []
        var failure: String?
        var loss: String?
        private var written = 0

        init(room: Int, scratch: (any RecordingScratch)?) {
            self.room = room
            self.scratch = scratch
        }

        /// Adds octets behind all others.
        mutating func add(_ octets: [UInt8]) -> Piece {
            let piece = Piece(offset: written + tail.count, count: UInt32(clamping: octets.count))
            tail += octets
            guard let scratch, failure == nil, tail.count > (written == 0 ? room : min(room, Self.pieceOctets)) else {
                return piece
            }
            failure = scratch.write(tail, at: written)
            guard failure == nil else { return piece }
            written += tail.count
            tail.removeAll(keepingCapacity: tail.capacity <= 2 * Self.pieceOctets)
            return piece
        }

        /// The octets of a piece that is in memory.
        func tailOctets(of piece: Piece) -> [UInt8]? {
            let start = piece.offset - written
            guard start >= 0, start + Int(piece.count) <= tail.count else { return nil }
            return Array(tail[start..<start + Int(piece.count)])
        }
    }
}
