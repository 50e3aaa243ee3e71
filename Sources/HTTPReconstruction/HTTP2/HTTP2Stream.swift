// Wingmirror · Apache-2.0
// Stream states as an observer needs them, RFC 9113 §5.1.

/// A stream whose request and response are not both over.
struct HTTP2Stream {
    let identifier: UInt32
    /// Its exchange, in the ``ExchangeStore``.
    let exchange: Int32
    var flags: Flags = []
    /// What the response's own media type says of its content; `nil` where that is not known, and before.
    var responseKind: ContentKind?
    /// The status of gRPC in a head that did not end the stream, or -1.
    var headStatus: Int8 = -1
    /// How much of the server's stream the client had received when it sent the request.
    var received: Int64 = 0
    /// How much of the client's stream the server had received when it sent the head of the response.
    var needed: Int64 = 0
    /// What `content-length` announces, or -1.
    var announcedRequest: Int64 = -1
    var announcedResponse: Int64 = -1
    /// Its gRPC call, among those that all connections share; -1 before it has content, and of other streams.
    var call: Int32 = -1

    struct Flags: OptionSet {
        let rawValue: UInt16

        static let requestEnded = Flags(rawValue: 1 << 0)
        static let responseEnded = Flags(rawValue: 1 << 1)
        /// The head of the final response was seen.
        static let responseBegan = Flags(rawValue: 1 << 2)
        /// Octets of the request, or its end, may be missing.
        static let requestHole = Flags(rawValue: 1 << 3)
        /// The same of the response.
        static let responseHole = Flags(rawValue: 1 << 4)
        /// Messages of a gRPC call in the request's content cannot be counted.
        static let requestUncounted = Flags(rawValue: 1 << 5)
        /// The same of the response's.
        static let responseUncounted = Flags(rawValue: 1 << 11)
        /// Extended CONNECT for a WebSocket (RFC 8441).
        static let asksWebSocket = Flags(rawValue: 1 << 6)
        /// The client gave the stream up; what the server sent before it knew may still come.
        static let resetByClient = Flags(rawValue: 1 << 8)
        /// The method is not known, so that the answer may be one to HEAD.
        static let methodUnknown = Flags(rawValue: 1 << 9)
        /// The response came first: the request was missed, or waits behind octets that are missing.
        static let requestUnseen = Flags(rawValue: 1 << 10)
        /// The response has no content, whatever `content-length` says.
        static let responseHasNoContent = Flags(rawValue: 1 << 7)
    }
}

/// The live streams of a connection, in the order of their identifiers.
///
/// Clients open streams in rising order (RFC 9113 §5.1.1), so a new one goes to the end; one that was lost and is
/// answered goes where it belongs.
struct StreamTable: ~Copyable {
    private var streams = PlainList<HTTP2Stream>()
    /// Where the latest stream that was asked for was found.
    private var latest = 0

    var count: Int { streams.count }

    /// Octets of memory that the list takes.
    var keptOctets: Int { streams.capacity * MemoryLayout<HTTP2Stream>.stride }

    subscript(place: Int) -> HTTP2Stream {
        @inline(__always)
        get { streams[place] }
        @inline(__always)
        _modify { yield &streams[place] }
    }

    /// Where a stream is; `nil` if it is not live.
    @inline(__always)
    mutating func place(of identifier: UInt32) -> Int? {
        if latest < streams.count, streams[latest].identifier == identifier { return latest }
        guard let place = find(identifier) else { return nil }
        latest = place
        return place
    }

    /// Where a stream is, without remembering that it was asked for.
    func find(_ identifier: UInt32) -> Int? {
        let place = lowerBound(identifier)
        return place < streams.count && streams[place].identifier == identifier ? place : nil
    }

    /// Adds a stream, and answers where it is.
    mutating func insert(_ stream: HTTP2Stream) -> Int {
        let isNewest = streams.isEmpty || streams.last.identifier < stream.identifier
        let place = isNewest ? streams.count : lowerBound(stream.identifier)
        streams.insert(stream, at: place)
        latest = place
        return place
    }

    /// Takes out the stream at a place.
    mutating func remove(at place: Int) -> HTTP2Stream {
        let stream = streams.remove(at: place)
        // A connection that once had many streams does not keep their memory.
        if streams.isEmpty { streams.removeAll(keepingAtMost: 32) }
        return stream
    }

    private func lowerBound(_ identifier: UInt32) -> Int {
        var low = 0
        var high = streams.count
        while low < high {
            let middle = (low + high) / 2
            if streams[middle].identifier < identifier { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
