// Wingmirror · Apache-2.0

internal import TrafficModel

/// The counters of one Gateway in one shard; the shard's thread writes, a scrape reads.
final class GatewayCells: Sendable {
    private let words = AtomicWords(count: wordCount)

    private static let inFlight = 0
    private static let opened = 1
    private static let closed = opened + ConnectionProtocolLabel.allCases.count
    private static let opaqueConnections = closed + ConnectionCloseReason.allCases.count
    private static let opaqueBytes = opaqueConnections + OpaqueReason.allCases.count
    private static let unmatched = opaqueBytes + OpaqueReason.allCases.count
    private static let marked = unmatched + UnmatchedReason.allCases.count * ResponseCodeClass.allCases.count
    private static let unverified = marked + 1
    private static let partlySeen = unverified + 1
    private static let streams = partlySeen + PartlySeenReason.allCases.count
    private static let webSockets = streams + StreamKindLabel.allCases.count
    private static let unseenAnswers = webSockets + 1
    private static let wordCount = unseenAnswers + 1

    /// How many label sets a Gateway can have in the family in which it can have most.
    static let seriesPerGateway = UnmatchedReason.allCases.count * ResponseCodeClass.allCases.count

    private static func word(_ reason: UnmatchedReason, _ codeClass: ResponseCodeClass) -> Int {
        unmatched + Int(reason.rawValue) * ResponseCodeClass.allCases.count + Int(codeClass.rawValue)
    }

    // MARK: - Writing

    func requestBegan() { words.add(1, at: Self.inFlight) }

    func requestEnded() { words.add(UInt64.max, at: Self.inFlight) }

    func markedRequestArrived() { words.add(1, at: Self.marked) }

    func unverifiedMarkerArrived() { words.add(1, at: Self.unverified) }

    func connectionOpened(_ label: ConnectionProtocolLabel) { words.add(1, at: Self.opened + Int(label.rawValue)) }

    func connectionClosed(_ reason: ConnectionCloseReason) { words.add(1, at: Self.closed + Int(reason.rawValue)) }

    func connectionIsOpaque(_ reason: OpaqueReason) {
        words.add(1, at: Self.opaqueConnections + Int(reason.rawValue))
    }

    func opaqueOctets(_ reason: OpaqueReason, count: UInt64) {
        words.add(count, at: Self.opaqueBytes + Int(reason.rawValue))
    }

    func requestUnmatched(_ reason: UnmatchedReason, _ codeClass: ResponseCodeClass) {
        words.add(1, at: Self.word(reason, codeClass))
    }

    func answerToUnmatchedUnseen() { words.add(1, at: Self.unseenAnswers) }

    func requestPartlySeen(_ reason: PartlySeenReason) { words.add(1, at: Self.partlySeen + Int(reason.rawValue)) }

    func webSocketOpened() { words.add(1, at: Self.webSockets) }

    func webSocketClosed() { words.add(UInt64.max, at: Self.webSockets) }

    func streamEnded(_ kind: StreamKindLabel) { words.add(1, at: Self.streams + Int(kind.rawValue)) }

    // MARK: - Reading

    /// Requests without a full response yet.
    ///
    /// Never below 0, even in the overflow, where a request may end that began under a Gateway now gone.
    var requestsInFlight: Int64 { max(0, Int64(bitPattern: words.load(Self.inFlight))) }

    /// WebSockets that are open; never below 0, as `requestsInFlight`.
    var openWebSockets: Int64 { max(0, Int64(bitPattern: words.load(Self.webSockets))) }

    /// Requests that an agent sent as shadow traffic.
    var markedRequests: UInt64 { words.load(Self.marked) }

    /// Requests of clients that bear the marker of shadow traffic without being any.
    var unverifiedMarkers: UInt64 { words.load(Self.unverified) }

    /// Requests of which the observer does not know all.
    func requestsPartlySeen(_ reason: PartlySeenReason) -> UInt64 {
        words.load(Self.partlySeen + Int(reason.rawValue))
    }

    /// Exchanges whose lifetime is no duration of a request.
    func streamsEnded(_ kind: StreamKindLabel) -> UInt64 { words.load(Self.streams + Int(kind.rawValue)) }

    func connectionsOpened(_ label: ConnectionProtocolLabel) -> UInt64 {
        words.load(Self.opened + Int(label.rawValue))
    }

    func connectionsClosed(_ reason: ConnectionCloseReason) -> UInt64 {
        words.load(Self.closed + Int(reason.rawValue))
    }

    func opaqueConnections(_ reason: OpaqueReason) -> UInt64 {
        words.load(Self.opaqueConnections + Int(reason.rawValue))
    }

    func opaqueBytes(_ reason: OpaqueReason) -> UInt64 {
        words.load(Self.opaqueBytes + Int(reason.rawValue))
    }

    func requestsUnmatched(_ reason: UnmatchedReason, _ codeClass: ResponseCodeClass) -> UInt64 {
        words.load(Self.word(reason, codeClass))
    }

    /// Requests that arrived, that no route accounts for, and whose answer was not seen.
    var unseenAnswers: UInt64 { words.load(Self.unseenAnswers) }

    /// Whether anything was counted.
    var hasCounts: Bool {
        (0..<Self.wordCount).contains { words.load($0) != 0 }
    }
}
