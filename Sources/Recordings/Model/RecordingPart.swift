// Wingmirror · Apache-2.0

internal import TrafficModel

/// What is added to a recorded request when it comes apart from it.
enum RecordingPart {
    /// What production answered, when that began, and how long it lasted, in nanoseconds.
    case response(RecordedResponse, time: Int64, nanoseconds: Int64?)
    /// What a target answered when the request was replayed.
    case replayed(ReplayedAnswer)
}

extension EntryWriter {
    mutating func add(_ part: RecordingPart) {
        switch part {
        case .response(let response, let time, let nanoseconds):
            add(true)
            add(time)
            add(optional: nanoseconds)
            add(response)
        case .replayed(let answer):
            add(false)
            add(answer.time)
            add(optional: answer.roundTripNanoseconds)
            add(answer.isCut)
            add(optional: answer.response) { $0.add($1) }
        }
    }
}

extension EntryReader {
    mutating func part() -> RecordingPart {
        let isResponse = isSo()
        let time = number()
        let nanoseconds = optionalNumber()
        guard !isResponse else { return .response(response(), time: time, nanoseconds: nanoseconds) }
        var answer = ReplayedAnswer(time: time, roundTripNanoseconds: nanoseconds, isCut: isSo())
        answer.response = optional { $0.response() }
        return .replayed(answer)
    }
}

extension RecordingEntry {
    /// Adds a part.
    mutating func add(_ part: RecordingPart) {
        switch part {
        case .response(let response, let time, let nanoseconds):
            exchange.answered(response, at: time, over: nanoseconds)
        case .replayed(let answer): replayed.append(answer)
        }
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
