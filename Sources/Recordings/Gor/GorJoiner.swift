// Wingmirror · Apache-2.0

internal import TrafficModel

/// Puts the records of one or more `.gor` files together into exchanges.
///
/// The records of an exchange may lie apart, and in different files, since GoReplay begins a new file by size.
public struct GorJoiner: Sendable {
    /// What could not be joined.
    public private(set) var losses = RecordingLosses()
    private let limits: RecordingLimits
    private var entries: [RecordingEntry] = []
    /// Where the latest request with an id is.
    private var places: [String: Int] = [:]
    private var waiting: [GorRecord] = []

    /// Makes a joiner without records.
    public init(limits: RecordingLimits = RecordingLimits()) {
        self.limits = limits
    }

    /// Takes a record.
    public mutating func append(_ record: GorRecord) {
        guard case .request(let request) = record.message else {
            if !join(record) { wait(record) }
            return
        }
        places[record.identifier] = entries.count
        let exchange = RecordedExchange(
            request: request,
            connection: -1,
            startTime: record.time,
            integrity: ["no_response"],
            protocolVersion: record.protocolVersion,
            requestNanoseconds: record.latencyNanoseconds
        )
        entries.append(RecordingEntry(exchange: exchange))
    }

    /// There are no more records: hands over the exchanges.
    public mutating func finish() -> Recording {
        for record in waiting where !join(record) { losses.count(.noRequest) }
        waiting = []
        places = [:]
        let joined = entries
        entries = []
        return Recording(entries: joined, losses: losses)
    }

    private mutating func wait(_ record: GorRecord) {
        guard waiting.count < limits.waitingResponses else { return losses.count(.noRequest) }
        waiting.append(record)
    }

    /// Adds a response to its request, if that is there.
    private mutating func join(_ record: GorRecord) -> Bool {
        guard let place = places[record.identifier] else { return false }
        switch record.message {
        case .request: return false
        case .replayed(let response):
            let answer = ReplayedAnswer(
                time: record.time,
                roundTripNanoseconds: record.latencyNanoseconds,
                response: response
            )
            entries[place].replayed.append(answer)
        case .damagedReplay(let isCut):
            // To HEAD a length is said of content that does not follow; read before its request, it looks cut short.
            guard !isCut || entries[place].exchange.request.method != "HEAD" else { return true }
            entries[place].replayed.append(
                ReplayedAnswer(time: record.time, roundTripNanoseconds: record.latencyNanoseconds, isCut: isCut)
            )
        case .response(let response):
            // A second response with the id of the first is of a request that is missing.
            guard entries[place].exchange.response == nil else { return false }
            entries[place].exchange.answered(response, at: record.time, over: record.latencyNanoseconds)
        }
        return true
    }
}

extension RecordedExchange {
    /// Takes the response that began at a time, and lasted for so long.
    fileprivate mutating func answered(_ response: RecordedResponse, at time: Int64, over nanoseconds: Int64?) {
        self.response = response
        integrity = []
        let (firstByte, overflow) = time.subtractingReportingOverflow(startTime)
        guard !overflow, firstByte >= 0 else { return }
        firstByteNanoseconds = firstByte
        let (duration, tooLong) = firstByte.addingReportingOverflow(nanoseconds ?? 0)
        if !tooLong { durationNanoseconds = duration }
    }
}
