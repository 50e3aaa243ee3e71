// Wingmirror · Apache-2.0

internal import TrafficModel

/// Tells whether a connection that was joined midstream carries HTTP/2, and which side sends.
enum HTTP2Join {
    /// What the sender of a segment sends, if the segment can be nothing but HTTP/2; `nil` else.
    ///
    /// All of it must be frames, one of them HEADERS whose block decodes to its last octet and has a pseudo-header field
    /// that is known without a table. Random octets pass weaker tests.
    static func message(in octets: Span<UInt8>, limit: Int, _ shared: inout SharedHTTP2) -> MessageKind? {
        let search = FrameSearch(
            expectations: FrameExpectations(
                kind: .response,
                lengthLimit: FrameReader.assumedLengthLimit,
                highestStream: 0
            ),
            knowsStreams: false
        )
        guard
            search.boundary(in: octets, from: 0, startsSegment: true, onlyAtStart: true, isStreamKnown: { _ in true })
                == 0
        else { return nil }
        var direction = HTTP2Direction(.response, isJoinedMidstream: true)
        direction.frames.boundaryFound()
        defer { direction.releaseSection(&shared) }
        return firstMessage(octets, limit, &direction, &shared)
    }

    private static func firstMessage(
        _ octets: Span<UInt8>,
        _ limit: Int,
        _ direction: inout HTTP2Direction,
        _ shared: inout SharedHTTP2
    ) -> MessageKind? {
        var index = 0
        while let step = direction.frames.next(octets, from: index) {
            switch step {
            case .passed(let next), .contentEnded(_, _, let next), .reset(_, _, let next), .goAway(_, _, let next),
                .setting(_, _, let next):
                index = next
            case .content(_, let range):
                index = range.upperBound
            case .blockBegan(let stream, let endsStream, let isPromise, let next):
                direction.blockBegan(stream: stream, endsStream: endsStream, isPromise: isPromise, &shared)
                index = next
            case .fragment(let range, let endsBlock):
                let result = direction.fragmentArrived(
                    octets.extracting(range),
                    endsBlock: endsBlock,
                    as: .responseOrTrailers,
                    limit: limit,
                    &shared
                )
                index = range.upperBound
                guard case .complete(let block) = result else {
                    if case .continues = result { continue }
                    return nil
                }
                let found = kind(of: &direction, &shared)
                direction.releaseSection(&shared)
                if let found, !block.isPromise { return found }
            case .failed: return nil
            }
        }
        return nil
    }

    private static func kind(of direction: inout HTTP2Direction, _ shared: inout SharedHTTP2) -> MessageKind? {
        let reading = SectionReading(&shared.sections[direction.section], lines: &shared.lines)
        guard !reading.isMalformed else { return nil }
        if reading.status != nil { return .response }
        return reading.method != nil || reading.path != nil || reading.scheme != nil ? .request : nil
    }
}
