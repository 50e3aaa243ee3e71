// Wingmirror · Apache-2.0

internal import TrafficModel

/// Puts the records of one or more `.gor` files together into exchanges.
///
/// The records of an exchange may lie apart, and in different files, since GoReplay begins a new file by size.
public struct GorJoiner: Sendable {
    /// How many replayed answers of a request are kept: the one that is judged, and the one that tells the noise.
    private static let answersKept = 2
    /// Octets of memory for each request that may still be answered, with what a table has in reserve when it grows.
    private static let requestOctets = 96

    /// What could not be joined.
    public private(set) var losses = RecordingLosses()
    private let limits: RecordingLimits
    private let store: RecordingStore
    /// The latest request with an id.
    private var requests: [Identifier: Request] = [:]
    private var waiting: [(identifier: Identifier, piece: RecordingStore.Piece)] = []

    /// Makes a joiner without records.
    ///
    /// - Parameters:
    ///   - limits: How many responses may wait for a request that comes later.
    ///   - store: Takes the exchanges.
    public init(limits: RecordingLimits = RecordingLimits(), store: RecordingStore = RecordingStore()) {
        self.limits = limits
        self.store = store
    }

    /// About how much memory the joiner itself takes, in octets.
    public var octetsInMemory: Int { requests.count * Self.requestOctets }

    /// Takes a record.
    public mutating func append(_ record: GorRecord) {
        let identifier = Identifier(record.identifier)
        let part: RecordingPart
        switch record.message {
        case .request(let request):
            requests[identifier] = add(request, record)
            return
        case .response(let response):
            part = .response(response, time: record.time, nanoseconds: record.latencyNanoseconds)
        case .replayed(let response):
            part = .replayed(
                ReplayedAnswer(
                    time: record.time,
                    roundTripNanoseconds: record.latencyNanoseconds,
                    response: response
                )
            )
        case .damagedReplay(let isCut):
            part = .replayed(
                ReplayedAnswer(time: record.time, roundTripNanoseconds: record.latencyNanoseconds, isCut: isCut)
            )
        }
        guard !join(part, identifier) else { return }
        guard waiting.count < limits.waitingResponses else { return losses.count(.noRequest) }
        waiting.append((identifier, store.keep(part)))
    }

    /// There are no more records: hands over the exchanges of the store.
    public mutating func finish() -> Recording {
        joinWaiting()
        return Recording(store.takeEntries(), losses: losses)
    }

    /// There are no more records: joins the responses that came before their requests.
    public mutating func joinWaiting() {
        for (identifier, piece) in waiting {
            guard let part = store.part(piece), join(part, identifier) else {
                losses.count(.noRequest)
                continue
            }
        }
        waiting = []
        requests = [:]
    }

    private func add(_ request: RecordedRequest, _ record: GorRecord) -> Request {
        let exchange = RecordedExchange(
            request: request,
            connection: -1,
            startTime: record.time,
            integrity: ["no_response"],
            protocolVersion: record.protocolVersion,
            requestNanoseconds: record.latencyNanoseconds
        )
        return Request(number: UInt32(clamping: store.append(exchange)), isHead: request.method == "HEAD")
    }

    /// Adds a response to its request, if that is there.
    private mutating func join(_ part: RecordingPart, _ identifier: Identifier) -> Bool {
        guard var request = requests[identifier] else { return false }
        switch part {
        case .response:
            // A second response with the id of the first is of a request that is missing.
            guard !request.isAnswered else { return false }
            request.isAnswered = true
        case .replayed(let answer):
            // To HEAD a length is said of content that does not follow; read before its request, it looks cut short.
            if answer.response == nil, answer.isCut, request.isHead { return true }
            guard request.answers < Self.answersKept else { return true }
            request.answers += 1
        }
        requests[identifier] = request
        store.append(part, to: Int(request.number))
        return true
    }
}

extension GorJoiner {
    /// The word that joins records, as a number that no other word has but by a chance of 2¹²⁸: most are longer.
    private struct Identifier: Hashable {
        private let high: Int
        private let low: Int

        init(_ word: String) {
            var hasher = Hasher()
            hasher.combine(word)
            low = hasher.finalize()
            hasher = Hasher()
            hasher.combine(true)
            hasher.combine(word)
            high = hasher.finalize()
        }
    }

    /// What is known of a request until its answers have come.
    private struct Request {
        let number: UInt32
        let isHead: Bool
        var isAnswered = false
        var answers: UInt8 = 0

        init(number: UInt32, isHead: Bool) {
            self.number = number
            self.isHead = isHead
        }
    }
}
