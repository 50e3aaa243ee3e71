// Wingmirror · Apache-2.0

public import PacketDecoding
internal import TCPReassembly

/// What is known of a connection as a whole: its ends, which of them is the client, and how that is known.
public struct ConnectionFacts: Sendable, Hashable {
    /// Numbers connections by first packet, from 0.
    public let number: Int
    /// The end that sends requests.
    public let client: Endpoint
    /// The end that answers.
    public let server: Endpoint
    /// How it is known which end is the client.
    public let clientEvidence: ClientEvidence
    /// The client as a load balancer named it in a PROXY header; `client` is then the load balancer.
    public let clientFromProxy: Endpoint?
    /// The number of what is known of the connection's TLS; -1 where it carries none.
    public let tlsSession: Int32

    /// Whether what is read of the connection was encrypted.
    public var isSecured: Bool { tlsSession >= 0 }

    /// Whoever the requests come from, as far as it is known: the key of what is sampled by client.
    public var originalClient: Endpoint { clientFromProxy ?? client }
}

/// How it is known which end of a connection is the client.
public enum ClientEvidence: UInt8, Sendable, Hashable {
    /// It opened the connection, and that was captured.
    case handshake
    /// It sent a request, or the other end a response.
    case content
    /// It was the first to be seen, which proves nothing.
    case assumed
}

/// What reconstruction keeps of every connection, whatever it carries, and who reads it.
///
/// There is one of these for each connection that is open, in 48 octets: what few connections have lies apart in
/// ``TrackedConnections``, and addresses are those of IPv4 or the number of a place for longer ones.
struct TrackedConnection {
    /// Numbers connections by first packet.
    let number: Int
    /// The addresses of originator and responder, of IPv4; or in the first the index of longer ones.
    private let addresses: (originator: UInt32, responder: UInt32)
    private let originatorPort: UInt16
    private let responderPort: UInt16
    private var undetermined: UInt32 = 0
    /// Counts the exchanges that were emitted; also the number of the next one.
    var emittedExchanges: Int32 = 0
    /// The number of the connection's TLS session, or -1.
    var tlsSession: Int32 = -1
    /// Where the client lies that a PROXY header named, or -1.
    var proxiedClient: Int32 = -1
    /// What the connection carries.
    var reader = ConnectionReader.probing(-1)
    /// Which direction carries requests; a guess while the evidence is `.assumed`.
    private(set) var clientDirection = StreamDirection.fromOriginator
    private(set) var clientEvidence = ClientEvidence.assumed
    private var marks = Marks()

    private struct Marks: OptionSet {
        let rawValue: UInt8
        static let joinedMidstream = Marks(rawValue: 1)
        static let hasLongEnds = Marks(rawValue: 2)
        static let hasMalformedProxyHeader = Marks(rawValue: 4)
        static let hasTwoClocks = Marks(rawValue: 8)
    }

    /// The addresses of both ends, where one of them is not of IPv4.
    struct LongEnds {
        let originator: IPAddress
        let responder: IPAddress
    }

    /// No connection; what slots hold that were not used yet.
    init() {
        number = -1
        addresses = (0, 0)
        originatorPort = 0
        responderPort = 0
    }

    /// A connection of which nothing but its introduction is known.
    /// - Parameters:
    ///   - introduction: What reassembly says of it.
    ///   - storeEnds: Keeps addresses that are longer than IPv4's, and answers where.
    init(_ introduction: ConnectionIntroduction, storeEnds: (LongEnds) -> Int32) {
        let (originator, responder) = (introduction.originator, introduction.responder)
        number = introduction.number
        originatorPort = originator.port
        responderPort = responder.port
        if originator.address.isIPv4, responder.address.isIPv4 {
            addresses = (
                UInt32(truncatingIfNeeded: originator.address.low), UInt32(truncatingIfNeeded: responder.address.low)
            )
        } else {
            let index = storeEnds(LongEnds(originator: originator.address, responder: responder.address))
            addresses = (UInt32(bitPattern: index), 0)
            marks.insert(.hasLongEnds)
        }
        if introduction.sawHandshake { clientEvidence = .handshake } else { marks.insert(.joinedMidstream) }
    }

    /// Octets seen while it is not known what the connection carries; from four billion on, no more are counted.
    var undeterminedOctets: Int {
        get { Int(undetermined) }
        set { undetermined = UInt32(clamping: newValue) }
    }

    /// Whether the connection may have begun before the capture did.
    var isJoinedMidstream: Bool { marks.contains(.joinedMidstream) }

    /// Whether a PROXY header was wrong, which the first request will be marked for.
    var hasMalformedProxyHeader: Bool {
        get { marks.contains(.hasMalformedProxyHeader) }
        set { if newValue { marks.insert(.hasMalformedProxyHeader) } else { marks.remove(.hasMalformedProxyHeader) } }
    }

    /// Whether its directions were captured by two clocks, so that no duration of its exchanges can be trusted.
    var hasTwoClocks: Bool {
        get { marks.contains(.hasTwoClocks) }
        set { if newValue { marks.insert(.hasTwoClocks) } else { marks.remove(.hasTwoClocks) } }
    }

    /// Octets showed who the client is.
    mutating func clientFound(in direction: StreamDirection) {
        clientDirection = direction
        clientEvidence = .content
    }

    /// A whole head was read, which proves what was assumed.
    mutating func assumptionConfirmed() {
        if clientEvidence == .assumed { clientEvidence = .content }
    }

    // MARK: - Facts

    /// Whether all that its facts consist of lies here.
    var isPlain: Bool {
        @inline(__always)
        get { proxiedClient < 0 && !marks.contains(.hasLongEnds) }
    }

    /// Where the addresses lie; `nil` where they are of IPv4 and lie here.
    var longEnds: Int32? {
        @inline(__always)
        get { marks.contains(.hasLongEnds) ? Int32(bitPattern: addresses.originator) : nil }
    }

    /// The addresses of both ends where they lie here.
    var shortEnds: LongEnds {
        @inline(__always)
        get {
            LongEnds(
                originator: IPAddress(ipv4: addresses.originator),
                responder: IPAddress(ipv4: addresses.responder)
            )
        }
    }

    /// The connection as sinks see it.
    @inline(__always)
    func facts(_ ends: LongEnds, clientFromProxy: Endpoint?) -> ConnectionFacts {
        let clientIsOriginator = clientDirection == .fromOriginator
        let originator = Endpoint(address: ends.originator, port: originatorPort)
        let responder = Endpoint(address: ends.responder, port: responderPort)
        return ConnectionFacts(
            number: number,
            client: clientIsOriginator ? originator : responder,
            server: clientIsOriginator ? responder : originator,
            clientEvidence: clientEvidence,
            clientFromProxy: clientFromProxy,
            tlsSession: tlsSession
        )
    }
}
