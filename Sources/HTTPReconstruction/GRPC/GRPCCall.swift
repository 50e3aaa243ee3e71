// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TrafficModel

/// Both directions of a gRPC call while it is in progress.
struct GRPCCall {
    private var request = MessageReader()
    private var response = MessageReader()
    private var requestText = Base64Reader()
    private var responseText = Base64Reader()
    /// The trailer section of gRPC-Web.
    private var trailers: [UInt8] = []

    /// Takes content of the request or of the response.
    mutating func contentArrived(
        _ octets: Span<UInt8>,
        _ isClient: Bool,
        of kind: ContentKind,
        at time: PacketTime,
        _ messages: inout MessageCount
    ) {
        guard kind == .grpcWebText else {
            if isClient {
                request.octetsArrived(octets, at: time, &messages, trailers: &trailers)
            } else {
                response.octetsArrived(octets, at: time, &messages, trailers: &trailers)
            }
            return
        }
        var decoded: [UInt8] = []
        if isClient {
            requestText.decode(octets, into: &decoded)
            request.octetsArrived(decoded.span, at: time, &messages, trailers: &trailers)
        } else {
            responseText.decode(octets, into: &decoded)
            response.octetsArrived(decoded.span, at: time, &messages, trailers: &trailers)
        }
    }

    /// Passes over content that was not captured; `nil` where nobody knows how much.
    mutating func contentMissing(
        _ count: Int?,
        _ isClient: Bool,
        of kind: ContentKind,
        at time: PacketTime,
        _ messages: inout MessageCount
    ) {
        if let count, kind != .grpcWebText {
            if isClient {
                request.missing(count, at: time, &messages)
            } else {
                response.missing(count, at: time, &messages)
            }
        } else if isClient {
            request.lose(&messages)
        } else {
            response.lose(&messages)
        }
    }

    /// The status in the trailer section of gRPC-Web.
    var statusInContent: Int8? { GRPCStatus.code(inTrailers: trailers.span) }
}

extension Exchange {
    /// Reads a response of gRPC-Web from the content that was kept, where all of it was.
    ///
    /// HTTP/1 passes over content, so that nothing else is known of it (PROTOCOL-WEB).
    mutating func readRetainedCall() {
        guard contentKind.isGRPCWeb, let message = retainedResponse else { return }
        let octets = message.octets
        for field in message.fields where octets.span.extracting(field.name).isName("grpc-status") {
            grpcCode = GRPCStatus.code(octets.span.extracting(field.value))
        }
        let content = message.content
        guard Int64(content.count) == response.contentOctets, response.contentOctets > 0,
            integrity.isDisjoint(with: [.responseGap, .truncatedCapture])
        else { return }
        var call = GRPCCall()
        call.contentArrived(content.span, false, of: contentKind, at: response.lastOctet, &responseMessages)
        if let status = call.statusInContent { grpcCode = status }
    }
}

extension Span where Element == UInt8 {
    /// Whether the octets are a field name in lower case, whatever case they have (RFC 9110 §5.1).
    fileprivate func isName(_ name: StaticString) -> Bool {
        guard count == name.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let octet = self[index]
            if (octet &- 0x41 < 26 ? octet | 0x20 : octet) != name.octet(at: index) { return false }
        }
        return true
    }
}
