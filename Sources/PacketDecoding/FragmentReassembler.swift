// Wingmirror · Apache-2.0
// Reassembly of datagrams: RFC 791 §3.2, RFC 8200 §4.5, RFC 5722.

/// Where a fragment belongs in its datagram.
struct FragmentPosition: Sendable, Hashable {
    /// Octets of the datagram's payload before it.
    let offset: Int
    /// Whether this is not the last fragment.
    let moreFollow: Bool
}

/// What the fragments of one datagram have in common.
public struct FragmentKey: Sendable, Hashable {
    /// The sender.
    let source: IPAddress
    /// The receiver.
    let destination: IPAddress
    /// The identification field, 16 bits for IPv4.
    let identification: UInt32
    /// The IPv4 protocol; `nil` for IPv6, which tells datagrams apart without it.
    let protocolNumber: UInt8?
    /// Where it was captured: a fragment seen on two interfaces is no overlap.
    let interface: Int
    /// The networks that the tags around it name.
    let network: UInt32
}

/// What the headers of a fragment say of its payload.
struct Fragment: Sendable, Hashable {
    /// Which datagram it is of.
    let key: FragmentKey
    /// Where it belongs.
    let position: FragmentPosition
    /// What its own header says that the datagram begins with.
    let protocolNumber: UInt8
    /// Octets of its payload that were not captured.
    let missing: Int
    /// When it was captured.
    let time: PacketTime
}

/// A datagram put together.
struct ReassembledDatagram: Sendable, Hashable {
    /// Its payload, as far as all of it was captured.
    let octets: [UInt8]
    /// Octets after these.
    let missing: Int
    /// What the payload begins with.
    let protocolNumber: UInt8
}

/// Counts of what became of fragmented datagrams.
public struct FragmentCounts: Sendable, Hashable {
    /// Datagrams of which every fragment came.
    public var reassembled = 0
    /// Datagrams given up after `DecodingLimits.fragmentTimeoutNanoseconds`, or at the end of the capture.
    public var timedOut = 0
    /// Datagrams that gave way to others because of `fragmentedDatagrams` or `fragmentOctets`.
    public var evicted = 0

    /// Counts that are all 0.
    public init() {}
}

/// Holds fragments until their datagram is whole.
///
/// Bounded in datagrams, in octets and in packet time; the oldest datagram goes first, so that an attacker who sends
/// first fragments only cannot keep others out.
struct FragmentReassembler: ~Copyable {
    /// What became of a fragment.
    enum Outcome {
        /// It is held, or repeats what is held.
        case held
        /// It was the last to come.
        case completed(ReassembledDatagram)
        /// It contradicts the others or the standard, or meets a limit.
        case refused(DecodeFailure.Reason)
    }

    /// An entry of the queue in order of first fragments.
    private struct Admission {
        let key: FragmentKey
        let serial: Int
        let time: PacketTime
    }

    /// What became of datagrams so far.
    private(set) var counts = FragmentCounts()
    /// Octets held, each fragment with its fixed charge.
    private(set) var heldOctets = 0

    private let limits: DecodingLimits
    private var datagrams: [FragmentKey: FragmentedDatagram] = [:]
    /// Oldest first from `oldest` on; datagrams that are gone stay until their turn comes.
    private var admissions: [Admission] = []
    private var oldest = 0
    private var nextSerial = 0

    init(limits: DecodingLimits) {
        self.limits = limits
    }

    /// A fragment was captured, of whose payload there are `octets`.
    mutating func fragmentArrived(_ fragment: Fragment, octets: Span<UInt8>) -> Outcome {
        expireDatagrams(at: fragment.time)
        guard let length = validatedLength(of: fragment, octets: octets) else { return .refused(.malformed) }

        var datagram = datagrams.removeValue(forKey: fragment.key) ?? admit(fragment.key, at: fragment.time)
        let chargeBefore = datagram.charge
        let change = datagram.insert(fragment, octets: octets, length: length, limit: limits.fragmentsPerDatagram)
        heldOctets += datagram.charge - chargeBefore
        if let whole = datagram.takeWhole() {
            heldOctets -= datagram.charge
            counts.reassembled += 1
            return .completed(whole)
        }
        datagrams[fragment.key] = datagram
        evictOldest()
        switch change {
        case .accepted: return .held
        case .refused(let reason): return .refused(reason)
        }
    }

    /// No fragment will come any more: what is not whole is given up.
    mutating func captureEnded() {
        while oldestAdmission != nil {
            if removeOldest() { counts.timedOut += 1 }
        }
    }

    /// Octets of the fragment on the wire, if the standard allows such a fragment.
    private func validatedLength(of fragment: Fragment, octets: Span<UInt8>) -> Int? {
        let (length, overflow) = octets.count.addingReportingOverflow(fragment.missing)
        guard !overflow, length <= 65_535 - fragment.position.offset else { return nil }
        if fragment.position.moreFollow {
            guard length > 0, length % 8 == 0 else { return nil }
        }
        return length
    }

    private mutating func admit(_ key: FragmentKey, at time: PacketTime) -> FragmentedDatagram {
        forgetCompleted()
        nextSerial += 1
        admissions.append(Admission(key: key, serial: nextSerial, time: time))
        heldOctets += FragmentedDatagram.fixedCharge
        return FragmentedDatagram(serial: nextSerial)
    }
}

// MARK: - Limits

extension FragmentReassembler {
    private mutating func expireDatagrams(at time: PacketTime) {
        while let admission = oldestAdmission,
            time.nanoseconds(since: admission.time) > limits.fragmentTimeoutNanoseconds
        {
            if removeOldest() { counts.timedOut += 1 }
        }
    }

    private mutating func evictOldest() {
        while datagrams.count > limits.fragmentedDatagrams || heldOctets > limits.fragmentOctets {
            guard oldestAdmission != nil else { return }
            if removeOldest() { counts.evicted += 1 }
        }
    }

    private var oldestAdmission: Admission? {
        oldest < admissions.count ? admissions[oldest] : nil
    }

    /// Takes the head off the queue and tells whether its datagram was still held.
    private mutating func removeOldest() -> Bool {
        let admission = admissions[oldest]
        oldest += 1
        guard isHeld(admission), let datagram = datagrams.removeValue(forKey: admission.key) else { return false }
        heldOctets -= datagram.charge
        return true
    }

    /// Shortens the queue once most of it stands for datagrams that are gone, which keeps it within a constant of those held.
    private mutating func forgetCompleted() {
        guard admissions.count > 64, admissions.count > 2 * datagrams.count else { return }
        admissions = admissions[oldest...].filter { isHeld($0) }
        oldest = 0
    }

    private func isHeld(_ admission: Admission) -> Bool {
        datagrams[admission.key]?.serial == admission.serial
    }
}
