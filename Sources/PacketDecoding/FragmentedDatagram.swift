// Wingmirror · Apache-2.0
// Overlapping fragments: RFC 5722 for IPv6, and the same for IPv4, as Linux does.

/// The fragments of one datagram that have come so far.
struct FragmentedDatagram {
    /// What holding a datagram, or one fragment of it, costs beside its octets.
    static let fixedCharge = 64

    /// What became of one fragment.
    enum Change {
        case accepted
        case refused(DecodeFailure.Reason)
    }

    /// A part of the datagram, of one fragment.
    private struct Piece {
        /// Where it starts in the datagram.
        let offset: Int
        /// Octets on the wire.
        let length: Int
        /// Those of them that were captured.
        let octets: [UInt8]

        var end: Int { offset + length }
    }

    /// Tells this datagram from an earlier one with the same key.
    let serial: Int
    /// What holding it costs, in octets.
    private(set) var charge = Self.fixedCharge

    /// In order, and without overlap.
    private var pieces: [Piece] = []
    /// Octets on the wire of all pieces.
    private var coveredOctets = 0
    /// Octets of the whole, once the last fragment has come.
    private var totalLength: Int?
    /// What the first fragment says that the datagram begins with.
    private var protocolNumber: UInt8?
    /// Why nothing of this datagram can be used any more; fragments yet to come are refused for the same reason.
    private var refusal: DecodeFailure.Reason?

    init(serial: Int) {
        self.serial = serial
    }

    /// Adds a fragment of `length` octets on the wire, of which there are `octets`.
    mutating func insert(_ fragment: Fragment, octets: Span<UInt8>, length: Int, limit: Int) -> Change {
        if let refusal { return .refused(refusal) }
        let offset = fragment.position.offset
        let end = offset + length
        guard agreesOnTotal(end: end, moreFollow: fragment.position.moreFollow) else { return refuse(.malformed) }
        if offset == 0, protocolNumber == nil { protocolNumber = fragment.protocolNumber }

        // An exact copy may be ignored also where overlaps are not tolerated (RFC 8200 §4.5).
        if pieces.contains(where: { $0.offset == offset && $0.length == length }) { return .accepted }
        let isIPv6 = fragment.key.protocolNumber == nil
        if !isIPv6, isCovered(from: offset, to: end) { return .accepted }
        if pieces.contains(where: { $0.offset < end && offset < $0.end }) { return refuse(.malformed) }
        insertPiece(from: offset, to: end, with: octets)
        return pieces.count > limit ? refuse(.limitReached) : .accepted
    }

    /// The datagram, if this fragment was the last to come; it gives its octets away.
    mutating func takeWhole() -> ReassembledDatagram? {
        guard refusal == nil, let totalLength, coveredOctets == totalLength, let protocolNumber else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(totalLength)
        for piece in pieces {
            octets += piece.octets
            if piece.octets.count < piece.length { break }
        }
        return ReassembledDatagram(
            octets: octets,
            missing: totalLength - octets.count,
            protocolNumber: protocolNumber
        )
    }

    /// Notes where the datagram ends, if the fragment tells; whether the fragment agrees with what is known of that.
    private mutating func agreesOnTotal(end: Int, moreFollow: Bool) -> Bool {
        if let totalLength {
            return moreFollow ? end <= totalLength : end == totalLength
        }
        guard !moreFollow else { return true }
        guard (pieces.last?.end ?? 0) <= end else { return false }
        totalLength = end
        return true
    }

    private mutating func refuse(_ reason: DecodeFailure.Reason) -> Change {
        pieces = []
        coveredOctets = 0
        charge = Self.fixedCharge
        refusal = reason
        return .refused(reason)
    }

    /// Whether fragments without holes between them brought all of this before.
    private func isCovered(from start: Int, to end: Int) -> Bool {
        var position = start
        for piece in pieces where piece.offset <= position && position < piece.end { position = piece.end }
        return start < end && position >= end
    }

    private mutating func insertPiece(from start: Int, to end: Int, with octets: Span<UInt8>) {
        let count = min(end - start, octets.count)
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        for octet in 0..<count {
            copy.append(octets[octet])
        }
        let index = pieces.firstIndex { $0.offset >= end } ?? pieces.count
        pieces.insert(Piece(offset: start, length: end - start, octets: copy), at: index)
        coveredOctets += end - start
        charge += copy.count + Self.fixedCharge
    }
}
