// Wingmirror · Apache-2.0
// GoReplay's recordings: a line of metadata, the message as on the wire, a separator.

internal import HTTPReconstruction
internal import TrafficModel

/// Reads the records of a `.gor` file as its octets come.
///
/// A record ends where its message's framing says so, if a separator stands there; so a body that holds a separator is
/// read whole, which GoReplay's own reader does not. Where framing and separators disagree, the first separator ends the
/// record, and what is then no whole message is counted and passed over. The last separator may be missing.
public struct GorReader: Sendable {
    /// What could not be read.
    public private(set) var losses = RecordingLosses()
    private let limits: RecordingLimits
    private var records: [GorRecord] = []
    /// What has come and is not used up from `start` on.
    private var buffer: [UInt8] = []
    private var start = 0
    /// How many octets there must be before the record at `start` is looked at again.
    private var wanted = 0
    /// Whether the octets up to the next separator belong to a record that is passed over.
    private var isSkipping = false
    private var searchedInVain = 0
    /// The ids of requests to whose responses other framing rules apply.
    private var peculiar: [String: RequestMethod] = [:]

    /// Makes a reader at the start of a file.
    public init(limits: RecordingLimits = RecordingLimits()) {
        self.limits = limits
    }

    /// Hands over the records read since the last time.
    public mutating func takeRecords() -> [GorRecord] {
        defer { records = [] }
        return records
    }

    /// Takes the next octets of the file.
    public mutating func append(_ octets: [UInt8]) {
        buffer += octets
        advance(isEnd: false)
        buffer.removeFirst(start)
        wanted -= start
        start = 0
    }

    /// There are no more octets.
    public mutating func finish() {
        wanted = 0
        advance(isEnd: true)
        buffer = []
        start = 0
        isSkipping = false
    }

    // MARK: - Records

    private mutating func advance(isEnd: Bool) {
        while start < buffer.count, buffer.count >= wanted {
            let before = (start, isSkipping)
            if isSkipping { skipRecord(isEnd: isEnd) } else { readRecord(isEnd: isEnd) }
            guard (start, isSkipping) != before else { return }
            wanted = 0
        }
    }

    /// Passes over octets up to the next separator.
    private mutating func skipRecord(isEnd: Bool) {
        if let separator = GorFormat.separator(in: buffer, from: start) {
            isSkipping = false
            start = separator.upperBound
        } else {
            // The end of the buffer may be the beginning of a separator.
            start = isEnd ? buffer.count : max(start, buffer.count - GorFormat.separator.count + 1)
            wanted = buffer.count + 1
        }
    }

    private mutating func readRecord(isEnd: Bool) {
        let scope = buffer[start..<min(buffer.count, start + limits.metadataOctets)]
        guard let lineEnd = scope.firstIndex(of: 0x0A) else {
            if isEnd || scope.count >= limits.metadataOctets { refuse(.malformedRecord) }
            return
        }
        // Between records nothing but separators is expected; an empty line is one that an editor left.
        guard lineEnd > start else {
            start += 1
            return
        }
        guard let metadata = GorMetadata(buffer[start..<lineEnd]) else { return refuse(.malformedRecord) }
        let message = lineEnd + 1
        guard let end = messageEnd(from: message, metadata, isEnd: isEnd) else { return }
        // The last record of a file may end where its writer did.
        let isEnded = GorFormat.endsRecord(buffer, at: end.message)
        read(buffer[message..<end.message], metadata, isEnded: isEnded)
        start = end.record
    }

    /// The record cannot be read: all up to the next separator is passed over.
    private mutating func refuse(_ reason: RecordingLoss) {
        losses.count(reason)
        isSkipping = true
    }

    /// Where the message, and the record with its separator, ends; `nil` when that is not known yet, or never will be.
    private mutating func messageEnd(
        from message: Int,
        _ metadata: GorMetadata,
        isEnd: Bool
    ) -> (message: Int, record: Int)? {
        let measured = measure(from: message, metadata)
        if case .message(let read) = measured, !read.endsWithOctets {
            let end = message + read.length
            // At the end of the file a part of the separator, or nothing, does as well.
            if isEnd, GorFormat.separator.starts(with: buffer[end...]) { return (end, buffer.count) }
            if GorFormat.endsRecord(buffer, at: end), isEnd || end + GorFormat.separator.count <= buffer.count {
                return (end, min(buffer.count, end + GorFormat.separator.count))
            }
            // More octets must come before it is known whether a separator stands there.
            if !isEnd, end + GorFormat.separator.count > buffer.count {
                wanted = end + GorFormat.separator.count
                return nil
            }
        }
        let isTooLarge = buffer.count - message > limits.recordOctets
        if case .incomplete = measured, !isEnd, !isTooLarge {
            // Twice as many next time, so that the work stays in proportion to the octets.
            wanted = start + 2 * (buffer.count - start)
            return nil
        }
        noteVainSearch(from: message, measured)
        if let separator = GorFormat.separator(in: buffer, from: message) {
            return (separator.lowerBound, separator.upperBound)
        }
        if isEnd { return (endWithoutSeparator(from: message), buffer.count) }
        if isTooLarge {
            refuse(.tooLarge)
        } else {
            wanted = start + 2 * (buffer.count - start)
        }
        return nil
    }

    /// The end of the last message, behind which a writer that was ended may have left part of a separator.
    ///
    /// The line feed in front of the message is none of it, though a separator begins with one.
    private func endWithoutSeparator(from message: Int) -> Int {
        for length in stride(from: min(GorFormat.separator.count - 1, buffer.count - message), to: 1, by: -1)
        where buffer.suffix(length).elementsEqual(GorFormat.separator.prefix(length)) {
            return buffer.count - length
        }
        return buffer.count
    }

    /// Where the message's framing says that it ends.
    private func measure(from message: Int, _ metadata: GorMetadata) -> WholeMessage.Outcome {
        guard searchedInVain < limits.searchedOctets else { return .conflicting }
        let octets = buffer.span.extracting(message..<buffer.count)
        return WholeMessage.read(octets, as: kind(metadata), keepsContent: false)
    }

    private mutating func noteVainSearch(from message: Int, _ measured: WholeMessage.Outcome) {
        switch measured {
        case .message(let read) where !read.endsWithOctets: searchedInVain += read.length
        case .incomplete: searchedInVain += buffer.count - message
        case .message, .malformed, .conflicting: break
        }
    }

    private func kind(_ metadata: GorMetadata) -> WholeMessage.Kind {
        guard metadata.kind != .request else { return .request }
        return .response(to: peculiar[metadata.identifier, default: .other])
    }

    // MARK: - Messages

    private mutating func read(_ octets: ArraySlice<UInt8>, _ metadata: GorMetadata, isEnded: Bool) {
        let octets = Array(octets)
        let kind = kind(metadata)
        switch WholeMessage.read(octets.span, as: kind) {
        case .incomplete: damaged(metadata, isCut: true, isEnded: isEnded)
        case .malformed, .conflicting: damaged(metadata, isCut: false, isEnded: isEnded)
        case .message(let message):
            guard message.length == octets.count else { return damaged(metadata, isCut: true, isEnded: isEnded) }
            keep(message, of: octets, metadata)
        }
    }

    /// Counts a message that is not whole; that of a replay is what the target answered.
    private mutating func damaged(_ metadata: GorMetadata, isCut: Bool, isEnded: Bool) {
        losses.count(isCut ? .cutMessage : .malformedMessage)
        guard metadata.kind == .replayed, isEnded else { return }
        records.append(
            GorRecord(
                identifier: metadata.identifier,
                time: metadata.time,
                latencyNanoseconds: metadata.latency,
                protocolVersion: "HTTP/1.1",
                message: .damagedReplay(isCut: isCut)
            )
        )
    }

    private mutating func keep(_ message: WholeMessage, of octets: [UInt8], _ metadata: GorMetadata) {
        let recorded = RecordedMessage(message, of: octets)
        let response = RecordedResponse(status: message.status, message: recorded)
        let kept: GorRecord.Message
        switch metadata.kind {
        case .request:
            let method = String(decoding: octets[message.method], as: UTF8.self)
            notePeculiarMethod(method, of: metadata.identifier)
            kept = .request(RecordedRequest(method: method, target: Array(octets[message.target]), message: recorded))
        case .response: kept = .response(response)
        case .replayed: kept = .replayed(response)
        }
        records.append(
            GorRecord(
                identifier: metadata.identifier,
                time: metadata.time,
                latencyNanoseconds: metadata.latency,
                protocolVersion: message.version == .http10 ? "HTTP/1.0" : "HTTP/1.1",
                message: kept
            )
        )
    }

    private mutating func notePeculiarMethod(_ method: String, of identifier: String) {
        let known = RequestMethod(recorded: method)
        guard known != .other else { return }
        // They are forgotten rather than that the table grows without bound.
        if peculiar.count >= limits.waitingResponses { peculiar = [:] }
        peculiar[identifier] = known
    }
}

extension RecordedMessage {
    /// Copies a message out of the octets it was read from.
    init(_ message: WholeMessage, of octets: [UInt8]) {
        let fields = message.fields.map { line in
            RecordedField(
                name: String(decoding: octets[line.name], as: UTF8.self),
                value: Array(octets[line.value])
            )
        }
        self.init(fields: fields, content: message.content)
    }
}
