// Wingmirror · Apache-2.0

/// What a connection needs while some of its octets wait; taken from a pool for that long only.
struct ConnectionWait: BitwiseCopyable {
    /// Stands for no record.
    static let none = UInt32.max

    /// The connection.
    let slot: Int
    /// Counts the segments of the connection since the wait began.
    var arrivals = 0
    /// Blocks of held octets, both streams together.
    var blocks = 0
    /// A SYN that may replace the connection.
    var candidate = Candidate.none
    /// Segments that may show that the connection has jumped.
    var jump = Jump.none
    /// The neighbours in the list of all waits, longest waiting first.
    var next = none
    var previous: UInt32
}

/// What one stream of a waiting connection needs.
struct StreamWait: BitwiseCopyable {
    /// The held segment with the lowest offset.
    var head = HeldSegment.none
    /// The held segment with the highest offset.
    var tail = HeldSegment.none
    /// Where the stream ends, when a FIN came before the octets in front of it.
    var end: Int64?
    /// What the FIN acknowledges in the other stream.
    var endAcknowledged: Int64?
    /// The connection's `arrivals` when the FIN came.
    var endArrivals = 0
    /// Whether the other side acknowledged the FIN.
    var isEndAcknowledged = false
    /// Held segments whose checksum is wrong.
    var doubtful = 0
    /// When the other side first acknowledged octets that were not delivered, or the FIN came, on the clock.
    var evidenceTime: Int64 = 0
    /// The connection's `arrivals` at that moment.
    var evidenceArrivals = 0
    /// The interface by which that was seen.
    var evidenceInterface = 0
    /// Where in the other stream the segment stands that acknowledged most.
    var evidenceOffset: Int64 = 0
    /// When octets last arrived in order, on the clock.
    var progressTime: Int64 = 0
    /// The connection's `arrivals` at that moment.
    var progressArrivals = 0
    /// A RST of this direction's sender that may not have been taken.
    var reset: PendingReset?
    /// When the present hole becomes final, or the RST is believed, as set on the wheel.
    var deadline: Int64?
}

/// A SYN, or SYN-ACK, on the addresses of a live connection.
///
/// It replaces that connection only once a segment fits it, because anyone can send a SYN (RFC 5961 §4).
struct Candidate: BitwiseCopyable {
    /// Stands for no candidate.
    static var none: Candidate {
        Candidate(direction: .fromOriginator, sequence: 0, acknowledgement: nil, number: -1, time: 0, arrivals: 0)
    }

    private let directionCode: UInt8
    /// The initial sequence number.
    let sequence: UInt32
    /// What a SYN-ACK acknowledges; `nil` for a SYN.
    let acknowledgement: UInt32?
    /// The number that the new connection would have.
    let number: Int
    /// When it was captured, in nanoseconds since the epoch.
    let time: Int64
    /// The connection's `arrivals` at that moment.
    let arrivals: Int

    init(
        direction: StreamDirection,
        sequence: UInt32,
        acknowledgement: UInt32?,
        number: Int,
        time: Int64,
        arrivals: Int
    ) {
        directionCode = direction.rawValue
        self.sequence = sequence
        self.acknowledgement = acknowledgement
        self.number = number
        self.time = time
        self.arrivals = arrivals
    }

    /// Who sent it.
    var direction: StreamDirection {
        directionCode == 0 ? .fromOriginator : .fromResponder
    }

    /// Whether there is a candidate at all.
    var exists: Bool {
        number >= 0
    }
}
