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
    private var trailers = TrailerScan()

    /// Takes content of the request or of the response.
    mutating func contentArrived(
        _ octets: Span<UInt8>,
        _ kind: MessageKind,
        of form: ContentKind,
        at time: PacketTime,
        _ messages: inout MessageCount
    ) {
        guard form == .grpcWebText else {
            if kind == .request {
                // What a client writes like trailers says nothing of the call.
                var none = TrailerScan()
                request.octetsArrived(octets, at: time, &messages, trailers: &none)
            } else {
                response.octetsArrived(octets, at: time, &messages, trailers: &trailers)
            }
            return
        }
        var decoded: [UInt8] = []
        if kind == .request {
            requestText.decode(octets, into: &decoded)
            var none = TrailerScan()
            request.octetsArrived(decoded.span, at: time, &messages, trailers: &none)
        } else {
            responseText.decode(octets, into: &decoded)
            response.octetsArrived(decoded.span, at: time, &messages, trailers: &trailers)
        }
    }

    /// Passes over content that was not captured; `nil` where nobody knows how much.
    mutating func contentMissing(
        _ count: Int?,
        _ kind: MessageKind,
        of form: ContentKind,
        at time: PacketTime,
        _ messages: inout MessageCount
    ) {
        if let count, form != .grpcWebText {
            if kind == .request {
                request.missing(count, at: time, &messages)
            } else {
                response.missing(count, at: time, &messages)
            }
        } else if kind == .request {
            request.lose(&messages)
        } else {
            response.lose(&messages)
        }
    }

    /// The status in the trailer section of gRPC-Web.
    var statusInContent: Int8? { trailers.code }
}

extension Exchange {
    /// Reads a call of gRPC-Web from the content that was kept, where all of it was.
    ///
    /// HTTP/1 passes over content, so that nothing else is known of it (PROTOCOL-WEB).
    mutating func readRetainedCall() {
        guard contentKind.isGRPCWeb else { return }
        if isRequestComplete { readRetainedRequest() }
        guard let message = retainedResponse else { return }
        let octets = message.octets
        var kind = contentKind
        for field in message.fields {
            let name = octets.span.extracting(field.name)
            if name.isName("grpc-status") { grpcCode = GRPCStatus.code(octets.span.extracting(field.value)) }
            if name.isName("content-type") { kind = ContentKind(octets.span.extracting(field.value)) }
        }
        guard integrity.isDisjoint(with: [.responseGap, .truncatedCapture]),
            message.holdsContent(of: response), kind.isGRPC
        else { return }
        var call = GRPCCall()
        responseMessages = MessageCount()
        call.contentArrived(message.content.span, .response, of: kind, at: response.lastOctet, &responseMessages)
        if let status = call.statusInContent { grpcCode = status }
    }

    private mutating func readRetainedRequest() {
        guard let message = retainedRequest, message.holdsContent(of: request),
            integrity.isDisjoint(with: [.requestGap, .truncatedCapture])
        else { return }
        var call = GRPCCall()
        requestMessages = MessageCount()
        call.contentArrived(message.content.span, .request, of: contentKind, at: request.lastOctet, &requestMessages)
    }
}

extension RetainedMessage {
    /// Whether all of a message's content was kept, and has no coding that hides what is in it.
    fileprivate func holdsContent(of figures: MessageFigures) -> Bool {
        guard Int64(content.count) == figures.contentOctets else { return false }
        guard let contentCoding else { return true }
        let octets = octets
        return octets.span.extracting(contentCoding).isName("identity")
    }
}
