// Wingmirror · Apache-2.0

/// Why an exchange, or a part of one, is not in a recording, or could not be read from it.
public enum RecordingLoss: String, Sendable, Hashable, CaseIterable, Error {
    // When a recording is written.

    /// An exchange whose request was not seen whole: cut or damaged.
    case notWhole = "not_whole"
    /// A request whose headers were not kept while it lasted, because those of all together took too much memory.
    case notKept = "not_kept"
    /// A response left out because it was not seen whole, while its request was written.
    case responseNotWhole = "response_not_whole"
    /// A request with more content than was kept.
    case contentNotKept = "content_not_kept"
    /// A response with more content than was kept, left out while its request was written.
    case responseContentNotKept = "response_content_not_kept"
    /// A message in which a line is the separator of `.gor` records.
    case separator
    /// A message that no framing of HTTP/1.1 fits.
    case unframeable

    // When a recording is read; the responses without a request also when one is written.

    /// A record, or a line, that breaks the rules of its format.
    case malformedRecord = "malformed_record"
    /// A record whose message is no HTTP/1.
    case malformedMessage = "malformed_message"
    /// A record whose message ends before its framing says so, or goes on behind it.
    case cutMessage = "cut_message"
    /// A record that is larger than the limit.
    case tooLarge = "too_large"
    /// A response whose request was not seen, or is not in the recording.
    case noRequest = "no_request"
    /// An entry of a browser whose URL is not one of HTTP.
    case notHTTP = "not_http"
    /// An entry of a browser that was answered by its cache, or that it did not send.
    case notSent = "not_sent"
    /// A record made without the field lines that replaying needs.
    case noFields = "no_fields"
    /// A record made without the content, or all of the content, that replaying needs.
    case noContent = "no_content"

    /// The loss as people are told of it, to follow a number.
    public var explanation: String {
        switch self {
        case .notWhole: "exchanges not seen whole"
        case .notKept: "requests that were not kept, for want of memory"
        case .responseNotWhole: "responses not seen whole; their requests are there"
        case .contentNotKept: "requests with more content than is kept; keep more with --content"
        case .responseContentNotKept:
            "responses with more content than is kept; their requests are there; keep more with --content"
        case .separator: "messages that hold the separator of .gor records"
        case .unframeable: "messages that cannot be written as HTTP/1.1"
        case .malformedRecord: "records that could not be read"
        case .malformedMessage: "records whose message is no HTTP/1"
        case .cutMessage: "records whose message is cut short or too long"
        case .tooLarge: "records over the size limit"
        case .noRequest: "responses without their request"
        case .notHTTP: "entries with URLs of other schemes than http and https"
        case .notSent: "entries that a browser blocked or answered from its cache"
        case .noFields: "records without fields; record with --fields"
        case .noContent:
            "records without the whole content of the request, as it was sent; record with a larger --content"
        }
    }

    /// How many there are and what they are, such as `1 record that could not be read`.
    public func counted(_ count: Int) -> String { count == 1 ? "1 \(single)" : "\(count) \(explanation)" }

    private var single: String {
        switch self {
        case .notWhole: "exchange not seen whole"
        case .notKept: "request that was not kept, for want of memory"
        case .responseNotWhole: "response not seen whole; its request is there"
        case .contentNotKept: "request with more content than is kept; keep more with --content"
        case .responseContentNotKept:
            "response with more content than is kept; its request is there; keep more with --content"
        case .separator: "message that holds the separator of .gor records"
        case .unframeable: "message that cannot be written as HTTP/1.1"
        case .malformedRecord: "record that could not be read"
        case .malformedMessage: "record whose message is no HTTP/1"
        case .cutMessage: "record whose message is cut short or too long"
        case .tooLarge: "record over the size limit"
        case .noRequest: "response without its request"
        case .notHTTP: "entry with a URL of another scheme than http and https"
        case .notSent: "entry that a browser blocked or answered from its cache"
        case .noFields: "record without fields; record with --fields"
        case .noContent:
            "record without the whole content of the request, as it was sent; record with a larger --content"
        }
    }
}

/// What a recording does not hold, counted by reason.
public struct RecordingLosses: Sendable, Hashable {
    private var counts: [RecordingLoss: Int] = [:]

    /// Makes losses of nothing.
    public init() {}

    /// How often something was lost for a reason.
    public subscript(reason: RecordingLoss) -> Int { counts[reason, default: 0] }

    /// Whether nothing was lost.
    public var isEmpty: Bool { counts.isEmpty }

    /// All reasons together.
    public var total: Int { counts.values.reduce(0, +) }

    /// The reasons that occurred, with their counts, in a fixed order.
    public var reasons: [(reason: RecordingLoss, count: Int)] {
        RecordingLoss.allCases.compactMap { reason in counts[reason].map { (reason, $0) } }
    }

    /// Counts something lost.
    public mutating func count(_ reason: RecordingLoss) {
        counts[reason, default: 0] += 1
    }

    /// Adds what was lost elsewhere.
    public mutating func add(_ other: RecordingLosses) {
        for (reason, count) in other.counts { counts[reason, default: 0] += count }
    }
}
