// Wingmirror · Apache-2.0
// Media types that change how content is read: gRPC's PROTOCOL-HTTP2 and PROTOCOL-WEB, and server-sent events (HTML §9.2).

internal import TrafficModel

/// What a Content-Type field says of the content, as far as it matters here.
public enum ContentKind: UInt8, BitwiseCopyable, Sendable, Hashable, CaseIterable {
    case other
    /// `application/grpc`, alone or followed by `+` or `;`.
    case grpc
    /// `application/grpc-web`: messages, and the status in a last one.
    case grpcWeb
    /// `application/grpc-web-text`: the same in base64.
    case grpcWebText
    /// `text/event-stream`: a response that goes on as long as someone listens.
    case eventStream

    /// Whether the content is that of a gRPC call.
    public var isGRPC: Bool { self == .grpc || isGRPCWeb }

    /// Whether the content is gRPC-Web, in either form.
    var isGRPCWeb: Bool { self == .grpcWeb || self == .grpcWebText }

    /// What a media type says; its parameters do not matter (RFC 9110 §8.3.1).
    init(_ mediaType: Span<UInt8>) {
        self = .other
        guard mediaType.count >= 16 else { return }
        if mediaType.beginsIgnoringCase("application/grpc") {
            let rest = mediaType.extracting(16...)
            if rest.endsMediaType {
                self = .grpc
            } else if rest.beginsIgnoringCase("-web-text"), rest.extracting(9...).endsMediaType {
                self = .grpcWebText
            } else if rest.beginsIgnoringCase("-web"), rest.extracting(4...).endsMediaType {
                self = .grpcWeb
            }
        } else if mediaType.beginsIgnoringCase("text/event-stream"), mediaType.extracting(17...).endsMediaType {
            self = .eventStream
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether the octets begin with a literal in lower case, whatever case they have.
    fileprivate func beginsIgnoringCase(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount {
            let octet = self[index]
            let folded = octet &- 0x41 < 26 ? octet | 0x20 : octet
            if folded != text.octet(at: index) { return false }
        }
        return true
    }

    /// Whether a media type may end here: nothing, a suffix or a parameter follows.
    fileprivate var endsMediaType: Bool {
        guard count > 0 else { return true }
        return self[0] == UInt8(ascii: "+") || self[0] == UInt8(ascii: ";") || self[0] == 0x20 || self[0] == 0x09
    }
}
