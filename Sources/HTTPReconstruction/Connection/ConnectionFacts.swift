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

/// What reconstruction keeps of every connection, whatever it carries.
///
/// Addresses and ports lie apart, so that no room is lost between them: there is one of these for each connection that is
/// open.
struct TrackedConnection {
    /// Numbers connections by first packet.
    let number: Int
    private let originatorAddress: IPAddress
    private let responderAddress: IPAddress
    private var proxiedAddress = IPAddress(high: 0, low: 0)
    private var undetermined: UInt32 = 0
    /// Counts the exchanges that were emitted; also the number of the next one.
    var emittedExchanges: Int32 = 0
    /// The number of the connection's TLS session, or -1.
    var tlsSession: Int32 = -1
    private let originatorPort: UInt16
    private let responderPort: UInt16
    private var proxiedPort: UInt16 = 0
    private var isProxied = false
    /// Whether the connection may have begun before the capture did.
    let isJoinedMidstream: Bool
    /// Which direction carries requests; a guess while the evidence is `.assumed`.
    private(set) var clientDirection = StreamDirection.fromOriginator
    private(set) var clientEvidence: ClientEvidence
    /// Whether a PROXY header was wrong, which the first request will be marked for.
    var hasMalformedProxyHeader = false
    /// Whether its directions were captured by two clocks, so that no duration of its exchanges can be trusted.
    var hasTwoClocks = false

    init(_ introduction: ConnectionIntroduction) {
        number = introduction.number
        originatorAddress = introduction.originator.address
        originatorPort = introduction.originator.port
        responderAddress = introduction.responder.address
        responderPort = introduction.responder.port
        isJoinedMidstream = !introduction.sawHandshake
        clientEvidence = introduction.sawHandshake ? .handshake : .assumed
    }

    /// Octets seen while it is not known what the connection carries; from four billion on, no more are counted.
    var undeterminedOctets: Int {
        get { Int(undetermined) }
        set { undetermined = UInt32(clamping: newValue) }
    }

    /// The client that a PROXY header named.
    var clientFromProxy: Endpoint? {
        get { isProxied ? Endpoint(address: proxiedAddress, port: proxiedPort) : nil }
        set {
            isProxied = newValue != nil
            proxiedAddress = newValue?.address ?? IPAddress(high: 0, low: 0)
            proxiedPort = newValue?.port ?? 0
        }
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

    /// The connection as sinks see it.
    var facts: ConnectionFacts {
        let clientIsOriginator = clientDirection == .fromOriginator
        let originator = Endpoint(address: originatorAddress, port: originatorPort)
        let responder = Endpoint(address: responderAddress, port: responderPort)
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
