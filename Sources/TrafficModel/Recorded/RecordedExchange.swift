// Wingmirror · Apache-2.0

/// An exchange with its octets, as it is mirrored, compared, recorded or replayed.
public struct RecordedExchange: Sendable {
    /// What the client sent.
    public var request: RecordedRequest
    /// What production answered, where that was seen.
    public var response: RecordedResponse?
    /// Which route took the request.
    public var route: RouteName
    /// The client's address, without port.
    public var clientAddress: String
    /// The client's connection, numbered by first packet; negative where it is not known.
    public var connection: Int
    /// The server's address, without port; empty where it is not known.
    public var serverAddress: String
    /// The port that the server listens on; 0 where it is not known.
    public var serverPort: Int
    /// The protocol version as records name it.
    public var protocolVersion: String
    /// When the first octet of the request was captured, in nanoseconds since the Unix epoch.
    public var startTime: Int64
    /// From the first octet of the request to its last, in nanoseconds.
    public var requestNanoseconds: Int64?
    /// From the first octet of the request to the first of the response, in nanoseconds.
    public var firstByteNanoseconds: Int64?
    /// From the first octet of the request to the last of the response, in nanoseconds.
    public var durationNanoseconds: Int64?
    /// The words of exchange records for what is missing or wrong; empty for an exchange seen whole.
    public var integrity: [String]
    /// Whether the request is known to be there to its end, where its framing puts that, whatever became of the response.
    public var isRequestEnded = false
    /// Whether client and server spoke TLS.
    public var isSecured = false
    /// The name that the client asked for in its TLS hello (SNI), empty where it asked for none; `nil` without TLS, and where
    /// that is not known.
    public var serverName: String?

    /// Makes an exchange of its parts.
    public init(
        request: RecordedRequest,
        response: RecordedResponse? = nil,
        route: RouteName = RouteName(),
        clientAddress: String = "",
        connection: Int = 0,
        startTime: Int64,
        firstByteNanoseconds: Int64? = nil,
        durationNanoseconds: Int64? = nil,
        integrity: [String] = [],
        serverAddress: String = "",
        serverPort: Int = 0,
        protocolVersion: String = "HTTP/1.1",
        requestNanoseconds: Int64? = nil
    ) {
        self.request = request
        self.response = response
        self.route = route
        self.clientAddress = clientAddress
        self.connection = connection
        self.startTime = startTime
        self.firstByteNanoseconds = firstByteNanoseconds
        self.durationNanoseconds = durationNanoseconds
        self.integrity = integrity
        self.serverAddress = serverAddress
        self.serverPort = serverPort
        self.protocolVersion = protocolVersion
        self.requestNanoseconds = requestNanoseconds
    }
}
