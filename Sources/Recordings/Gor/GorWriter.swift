// Wingmirror · Apache-2.0
// GoReplay's recordings: a line of metadata, the message as on the wire, a separator.

public import TrafficModel

/// Writes exchanges as GoReplay's recordings have them, a record for the request and one for the response.
///
/// Exchanges become complete in another order than they begin, and GoReplay sends what steps back in time at once. So
/// records wait for their place, the earliest leaving first, until ``RecordingLimits/waitingEntries`` or
/// ``RecordingLimits/waitingOctets`` is met.
///
/// A request that was not seen whole is left out, for replaying half a message does harm; so is a message that holds the
/// separator, which would break the file in two. A `.gor` file has no place to say so, so the losses must be told elsewhere.
/// GoReplay's ids spell out the client's address; these are made of the recording's key and tell nothing.
public struct GorWriter: Sendable {
    /// What was left out.
    public private(set) var losses = RecordingLosses()
    private let key: RecordingKey
    private let messages: MessageText
    private var written = 0
    private var octets: [UInt8] = []
    private let limits: RecordingLimits
    private var waiting = EntryHeap()

    /// Begins a recording.
    /// - Parameters:
    ///   - key: What the ids and replaced values are made of; another one for each recording.
    ///   - redaction: What is taken out.
    ///   - limits: How much may wait for its place.
    public init(key: RecordingKey, redaction: RecordingRedaction, limits: RecordingLimits = RecordingLimits()) {
        self.key = key
        self.limits = limits
        messages = MessageText(redaction: redaction, key: key)
    }

    /// Octets that can be taken; records that wait for their place are not among them.
    public var pendingOctets: Int { octets.count }

    /// Hands over what was written since the last time.
    public mutating func takeOctets() -> [UInt8] {
        defer { octets = [] }
        return octets
    }

    /// Ends the recording, which needs no last words; hands over what was written since the last time.
    public mutating func finish() -> [UInt8] {
        while let record = waiting.removeEarliest() { octets += record.octets }
        return takeOctets()
    }

    /// Counts an exchange that is left out.
    public mutating func leaveOut(_ reason: RecordingLoss) {
        losses.count(reason)
    }

    /// Adds the records of an exchange.
    public mutating func append(_ exchange: RecordedExchange) {
        guard exchange.isRequestUnbroken else { return losses.count(.notWhole) }
        guard exchange.request.message.contentIsWhole else { return losses.count(.contentNotKept) }
        let request: [UInt8]
        do throws(MessageText.Failure) {
            request = try messages.octets(of: exchange.request)
        } catch {
            return losses.count(error == .notWhole ? .contentNotKept : .unframeable)
        }
        let identifier = key.identifier(written)
        let metadata = GorMetadata(
            kind: .request,
            identifier: identifier,
            time: exchange.startTime,
            latency: exchange.requestNanoseconds
        )
        guard append(request, metadata) else { return }
        written += 1
        appendResponse(of: exchange, identifier)
    }

    private mutating func appendResponse(of exchange: RecordedExchange, _ identifier: String) {
        guard let response = exchange.response else { return }
        guard exchange.integrity.isEmpty else { return losses.count(.responseNotWhole) }
        let firstByte = exchange.firstByteNanoseconds ?? 0
        let metadata = GorMetadata(
            kind: .response,
            identifier: identifier,
            time: exchange.startTime.addingReportingOverflow(firstByte).partialValue,
            latency: exchange.durationNanoseconds.map {
                max(0, $0.subtractingReportingOverflow(firstByte).partialValue)
            }
        )
        do throws(MessageText.Failure) {
            _ = append(try messages.octets(of: response, to: exchange.request.method), metadata)
        } catch {
            losses.count(error == .notWhole ? .responseContentNotKept : .unframeable)
        }
    }

    /// Adds a record, unless a line of its message is the separator.
    private mutating func append(_ message: [UInt8], _ metadata: GorMetadata) -> Bool {
        let record = message + GorFormat.separator
        guard let first = GorFormat.separator(in: record, from: 0), first.lowerBound == message.count else {
            losses.count(.separator)
            return false
        }
        waiting.insert(start: metadata.time, metadata.line + record)
        while waiting.count > limits.waitingEntries || waiting.octets > limits.waitingOctets,
            let earliest = waiting.removeEarliest()
        {
            octets += earliest.octets
        }
        return true
    }
}

extension RecordedExchange {
    /// Marks of exchanges whose request is whole nevertheless: what is wrong came after it.
    private static let marksOfResponse: Set<String> = ["no_response", "response_gap"]
    /// Marks of exchanges that were broken off, in the request or behind it.
    private static let marksOfEither: Set<String> = [
        "reset_by_client", "reset_by_server", "closed_early", "interrupted", "forgotten",
    ]

    /// Whether all of the request was captured, so that it can be sent again.
    public var isRequestSeenWhole: Bool {
        isRequestUnbroken && request.message.contentIsWhole
    }

    /// Whether nothing of the request was lost in the capture, which decides its route; its content may not have been kept.
    ///
    /// A request that had come to its end before the exchange was broken off is whole.
    public var isRequestUnbroken: Bool {
        integrity.allSatisfy { mark in
            Self.marksOfResponse.contains(mark) || isRequestEnded && Self.marksOfEither.contains(mark)
        }
    }
}

extension RecordedRequest {
    /// Whether so much content is as much as the head of a request of HTTP/1 announces, where it says so in bytes
    /// (RFC 9112 §6.3); of other requests the head does not tell.
    func announces(contentOctets: Int64, in version: String) -> Bool {
        guard message.values(of: "transfer-encoding").isEmpty else { return false }
        let lengths = Set(message.values(of: "content-length"))
        guard let length = lengths.first else { return version.hasPrefix("HTTP/1.") && contentOctets == 0 }
        return lengths.count == 1 && Int64(String(decoding: length, as: UTF8.self)) == contentOctets
    }
}
