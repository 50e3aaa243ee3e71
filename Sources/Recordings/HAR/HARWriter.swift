// Wingmirror · Apache-2.0
// HTTP Archive, version 1.2.

internal import JSONSyntax
public import TrafficModel

/// Writes exchanges as an HTTP archive, while they are still being captured.
///
/// An archive lists its entries by start, and exchanges become complete in another order: a long download begins before
/// what ends before it. So entries wait for their place, the earliest leaving first, until
/// ``RecordingLimits/waitingEntries`` or ``RecordingLimits/waitingOctets`` is met; one that comes later than that is
/// written where it comes, marked `_late`.
///
/// Members of our own begin with an underscore: of the log `_losses` and `_late`, of an entry `_route`, `_policy`,
/// `_target`, `_sampleWeight`, `_integrity`, `_redactions`, `_error`, `_octetsEscaped` of a header or parameter, and
/// `_truncated` of content.
public struct HARWriter: Sendable {
    /// What decodes a content coding: its name in lower case, the octets, and the result, or `nil` if it cannot.
    public typealias ContentDecoder = @Sendable (_ coding: String, _ content: [UInt8]) -> [UInt8]?

    /// What is known of an entry beside the exchange.
    public struct Note: Sendable, Hashable {
        /// The policy that sampled the exchange.
        public var policy: String?
        /// The target that the exchange is with.
        public var target: String?
        /// How many exchanges this one stands for.
        public var sampleWeight: Double?

        /// Makes a note.
        public init(policy: String? = nil, target: String? = nil, sampleWeight: Double? = nil) {
            self.policy = policy
            self.target = target
            self.sampleWeight = sampleWeight
        }
    }

    /// What was left out; an archive also shows exchanges that were not seen whole.
    public private(set) var losses = RecordingLosses()
    private let format: HAREntryFormat
    private let limits: RecordingLimits
    private var waiting = EntryHeap()
    private var octets: [UInt8] = []
    private var hasEntry = false
    private var latestStart = Int64.min
    private var lateEntries = 0

    /// Begins an archive.
    /// - Parameters:
    ///   - creatorVersion: The release of this program.
    ///   - key: What replaced values are made of; another one for each recording.
    ///   - redaction: What is taken out.
    ///   - decoder: What takes content codings off; without it coded content is written as base64.
    ///   - limits: How much may wait for its place.
    public init(
        creatorVersion: String,
        key: RecordingKey,
        redaction: RecordingRedaction,
        decoder: ContentDecoder? = nil,
        limits: RecordingLimits = RecordingLimits()
    ) {
        format = HAREntryFormat(key: key, redaction: redaction, decoder: decoder)
        self.limits = limits
        var creator = JSONText()
        creator.string(creatorVersion)
        octets = Array(#"{"log":{"version":"1.2","creator":{"name":"wingmirror","version":"#.utf8)
        octets += creator.octets + Array(#"},"entries":["#.utf8)
    }

    /// Octets that wait to be taken, those of entries that wait for their place among them.
    public var pendingOctets: Int { octets.count + waiting.octets }

    /// Hands over what was written since the last time.
    public mutating func takeOctets() -> [UInt8] {
        defer { octets = [] }
        return octets
    }

    /// Adds an exchange.
    public mutating func append(_ exchange: RecordedExchange, note: Note = Note()) {
        let entry = format.entry(of: exchange, note, isLate: exchange.startTime < latestStart)
        waiting.insert(start: exchange.startTime, entry)
        while waiting.count > limits.waitingEntries || waiting.octets > limits.waitingOctets { writeEarliest() }
    }

    /// Counts an exchange that is left out.
    public mutating func leaveOut(_ reason: RecordingLoss) {
        losses.count(reason)
    }

    /// Ends the archive; hands over what was written since the last time.
    public mutating func finish() -> [UInt8] {
        while waiting.count > 0 { writeEarliest() }
        var text = JSONText()
        if !losses.isEmpty || lateEntries > 0 {
            text.key("_losses")
            text.beginObject()
            if lateEntries > 0 { text.member("late", lateEntries) }
            for (reason, count) in losses.reasons {
                text.key(named: reason.rawValue)
                text.integer(count)
            }
            text.endObject()
        }
        octets += Array("\n]".utf8) + (text.octets.isEmpty ? [] : [0x2C] + text.octets) + Array("}}\n".utf8)
        return takeOctets()
    }

    private mutating func writeEarliest() {
        guard let entry = waiting.removeEarliest() else { return }
        if entry.start < latestStart { lateEntries += 1 }
        latestStart = max(latestStart, entry.start)
        octets += Array((hasEntry ? ",\n" : "\n").utf8) + entry.octets
        hasEntry = true
    }
}

extension JSONText {
    /// Writes a member with a text.
    mutating func member(_ name: StaticString, _ text: String) {
        key(name)
        string(text)
    }

    /// Writes a member with a whole number.
    mutating func member(_ name: StaticString, _ number: Int) {
        key(name)
        integer(number)
    }

    /// Writes a member with a truth value.
    mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }
}
