// Wingmirror · Apache-2.0
// What need not be decrypted (reference: http2-grpc-tls.md 9.7).

internal import TCPReassembly

/// Some octets of a record's plaintext, decrypted by themselves.
struct PeekedOctets {
    let place: Int
    let octets: [UInt8]
}

extension TLSConnection {
    /// How many octets are looked at where a header may stand; those of HTTP/2 have nine, and lines of chunks a few more.
    private static var peekedOctets: Int { 16 }

    /// Passes over a record that holds nothing but content which nobody looks at, and headers of its frames or chunks, without
    /// opening it.
    ///
    /// Not authentic, so nothing is taken from it but its length, and from a header no more than that the content at hand goes
    /// on, for how long; where that was wrong, what is read behind it shows it.
    mutating func passOver<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ body: ArraySlice<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) -> Bool {
        let protection = self[direction].protections[0]
        let length = header.length - protection.overhead
        guard header.type == ContentType.applicationData, length > 0,
            length >= context.limits.leastSkippedOctets, length <= TLSContext.blankOctets,
            hasExactLengths(direction), self[direction].messageRemaining == 0,
            let headers = headersInContent(body, length, direction, context, sink),
            protection.seemsToBeData(body, sequence: self[direction].sequence)
        else { return false }
        self[direction].failures = 0
        self[direction].sequence += 1
        self[direction].explicitNonce = protection.explicitNonce(of: body)
        context.statistics.skippedRecords += 1
        let plaintext = context.takeBlank(with: headers)
        deliver(plaintext.span.extracting(first: length), place, direction, protection.explicitNonceLength, &sink)
        context.giveBackBlank(plaintext, with: headers)
        self[direction].offsets.recordEnded(at: place.end, plaintext: self[direction].plaintextOffset)
        return true
    }

    /// The headers of frames, or lines of chunks, in a record that holds nothing else but content which nobody looks at.
    /// - Returns: `nil` where it may hold anything else, or more headers than are worth it.
    private func headersInContent<Sink: StreamSink & ~Copyable>(
        _ body: ArraySlice<UInt8>,
        _ length: Int,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: borrowing Sink
    ) -> [PeekedOctets]? {
        var known = sink.octetsNotLookedAt(direction, slot: handle)
        guard known < length else { return [] }
        guard sink.contentMayGoOn(direction, slot: handle) else { return nil }
        let protection = self[direction].protections[0]
        var headers: [PeekedOctets] = []
        while known < length {
            guard headers.count < context.limits.peekedHeaders,
                let octets = protection.peek(
                    body,
                    at: known..<min(known + Self.peekedOctets, length),
                    sequence: self[direction].sequence
                )
            else { return nil }
            let passed = sink.octetsNotLookedAt(behind: octets.span, after: known, direction, slot: handle)
            guard passed > 0 else { return nil }
            headers.append(PeekedOctets(place: known, octets: octets))
            known += min(passed, length - known)
        }
        return headers
    }
}
