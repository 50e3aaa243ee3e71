// Wingmirror · Apache-2.0
// Finding a frame boundary behind a hole; RFC 9113 has no mark for one.

/// What is known of a direction that a frame header must agree with.
struct FrameExpectations {
    /// What travels in the direction.
    var kind: MessageKind
    /// Octets of payload that the receiver allows.
    var lengthLimit: Int
    /// The highest stream that the client is known to have opened; 0 if none is known.
    var highestStream: UInt32
    /// Streams beyond the highest that may have been opened unseen.
    static let reach: UInt32 = 8192

    /// Whether octets at `index` look like the header of a frame that may begin there.
    func admits(_ header: FrameHeader, isStreamKnown: (UInt32) -> Bool) -> Bool {
        guard let type = header.known, header.error(limit: lengthLimit) == nil else { return false }
        let flags = header.flags.rawValue
        let stream = header.stream
        switch type {
        case .data: return flags & ~0x09 == 0 && isStreamKnown(stream)
        case .headers:
            guard flags & ~0x2D == 0, header.length > 0 else { return false }
            return isStreamKnown(stream) || isWithinReach(stream)
        case .priority: return flags == 0 && stream & 1 == 1 && stream <= highestStream &+ Self.reach
        case .resetStream: return flags == 0 && isStreamKnown(stream)
        case .settings: return flags & ~0x01 == 0 && header.length <= 6 * 64
        case .ping: return flags & ~0x01 == 0
        case .goAway: return flags == 0 && header.length <= 1024
        case .windowUpdate: return flags == 0 && (stream == 0 || isStreamKnown(stream))
        case .pushPromise: return kind == .response && flags & ~0x0C == 0 && isStreamKnown(stream)
        case .continuation: return false
        }
    }

    /// Whether a client may open the stream next, or has opened it unseen.
    private func isWithinReach(_ stream: UInt32) -> Bool {
        stream & 1 == 1 && stream > highestStream && stream - highestStream <= Self.reach
    }
}

/// Looks for a place where frames begin.
struct FrameSearch {
    let expectations: FrameExpectations
    /// Whether streams are known, so that a header can be checked against them.
    let knowsStreams: Bool

    /// Frames in a row that are demanded where no streams are known.
    private static var chainLength: Int { 3 }

    /// The first index at or after `start` where a frame seems to begin; `nil` if there is none.
    ///
    /// Most frames begin where a segment does (`startsSegment` says that one begins at index 0); with `onlyAtStart` no
    /// other place is looked at. `isStreamKnown` answers whether a stream may be open.
    func boundary(
        in octets: Span<UInt8>,
        from start: Int,
        startsSegment: Bool,
        onlyAtStart: Bool,
        isStreamKnown: (UInt32) -> Bool
    ) -> Int? {
        let isAtStart = start == 0 && startsSegment
        // Chains that fail late, from one place after the other, would take the square of the octets.
        var headersLeft = octets.count / 2 + 64
        if isAtStart, isBoundary(octets, 0, startsSegment: true, &headersLeft, isStreamKnown) { return 0 }
        guard !onlyAtStart else { return nil }
        var index = isAtStart ? 1 : start
        while index + FrameHeader.octetCount <= octets.count {
            // The length of nearly all frames is below 64 KiB, and types end at 9.
            if octets[index + 3] <= 9, isBoundary(octets, index, startsSegment: false, &headersLeft, isStreamKnown) {
                return index
            }
            guard headersLeft > 0 else { return nil }
            index += 1
        }
        return nil
    }

    /// Whether a chain of valid headers begins at `start`.
    private func isBoundary(
        _ octets: Span<UInt8>,
        _ start: Int,
        startsSegment: Bool,
        _ headersLeft: inout Int,
        _ isStreamKnown: (UInt32) -> Bool
    ) -> Bool {
        var index = start
        var frames = 0
        var hasHeaders = false
        var continues: UInt32 = 0
        // The latest stream that the chain itself opens.
        var opened: UInt32 = 0
        while index + FrameHeader.octetCount <= octets.count {
            let header = FrameHeader(octets, at: index)
            if continues != 0 {
                guard header.known == .continuation, header.stream == continues,
                    header.length <= expectations.lengthLimit
                else { return false }
            } else if !admits(header, isFirst: frames == 0, { isStreamKnown($0) || $0 & 1 == 1 && $0 <= opened }) {
                return false
            }
            if header.known == .headers { opened = max(opened, header.stream) }
            if header.known == .headers || header.known == .pushPromise { hasHeaders = true }
            if header.known == .headers || header.known == .pushPromise || header.known == .continuation {
                continues = header.flags.contains(.endHeaders) ? 0 : header.stream
            }
            if frames > 0 { headersLeft -= 1 }
            guard headersLeft > 0 else { return false }
            frames += 1
            index += FrameHeader.octetCount + header.length
        }
        guard frames > 0 else { return false }
        let endsWithFrame = index == octets.count
        guard knowsStreams else {
            return endsWithFrame && hasHeaders && (frames >= Self.chainLength || startsSegment)
        }
        return endsWithFrame || frames >= 2 || startsSegment
    }

    private func admits(_ header: FrameHeader, isFirst: Bool, _ isStreamKnown: (UInt32) -> Bool) -> Bool {
        // Behind a first frame that was checked, a frame of a type that RFC 9113 does not have may follow.
        if header.known == nil { return !isFirst && header.length <= expectations.lengthLimit }
        guard knowsStreams else {
            return expectations.admits(header) { $0 != 0 && $0 & 1 == 1 }
        }
        return expectations.admits(header, isStreamKnown: isStreamKnown)
    }
}
