// Wingmirror · Apache-2.0
// gRPC over HTTP/2: PROTOCOL-HTTP2.md of grpc/grpc.

import OctetText

extension RecordedMessage {
    /// Whether the content is that of a gRPC call; gRPC-Web, whose status is part of the content, is not meant.
    public var isCall: Bool {
        fields.contains { field in
            guard field.isNamed("content-type") else { return false }
            let type = field.value.map(ASCII.lowered)
            let rest = type.dropFirst(16).first
            return type.starts(with: "application/grpc".utf8)
                && (rest == nil || [UInt8(ascii: "+"), UInt8(ascii: ";"), 0x20, 0x09].contains(rest))
        }
    }

    /// Whether the content is one message of a gRPC call and nothing else, as far as the prefix of the first one tells
    /// (Length-Prefixed-Message); `nil` where the prefix was not kept.
    public var holdsOneMessage: Bool? {
        guard contentOctets > 0 else { return false }
        guard content.count >= 5 else { return contentIsWhole ? false : nil }
        let length = content[1..<5].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return length + 5 == contentOctets
    }
}

extension RecordedExchange {
    /// Whether it is a gRPC call that no other can be held against.
    ///
    /// That is a streaming one, with more or fewer than one message in a direction, or one whose final status is not known, as
    /// in recordings without trailers. An error may come without a message.
    public var isIncomparableCall: Bool {
        guard request.message.isCall else { return false }
        guard request.message.holdsOneMessage != false, let response, response.grpcStatus != nil else { return true }
        return response.message.contentOctets > 0 && response.message.holdsOneMessage == false
    }
}

extension RecordedResponse {
    /// The final status of a gRPC call, from the trailers, or from the fields of an answer that has nothing else; `nil` where
    /// there is none, or it is no number.
    public var grpcStatus: Int? {
        let field =
            message.trailers.last { $0.isNamed("grpc-status") } ?? message.fields.last { $0.isNamed("grpc-status") }
        return field.flatMap { Int($0.text) }.flatMap { 0...1_000_000 ~= $0 ? $0 : nil }
    }

    /// Whether it is the answer of a server that failed: a status of the class 5xx, or a gRPC call that ended with one of
    /// `grpcErrors`, or with no status at all.
    public func isFailure(_ grpcErrors: Set<Int>) -> Bool {
        guard status < 500 else { return true }
        guard message.isCall else { return false }
        return grpcStatus.map(grpcErrors.contains) ?? true
    }

    /// Whether the server asks for fewer requests: 429, or RESOURCE_EXHAUSTED (8) of a gRPC call.
    public var asksForLess: Bool { status == 429 || message.isCall && grpcStatus == 8 }

    /// Whether the server says that it is not there: 503, or UNAVAILABLE (14) of a gRPC call.
    public var isUnavailable: Bool { status == 503 || message.isCall && grpcStatus == 14 }

    /// Whether the server turns the request away: 401, 403 or 404, or NOT_FOUND (5), PERMISSION_DENIED (7) or
    /// UNAUTHENTICATED (16) of a gRPC call.
    public var turnsAway: Bool {
        if let call = message.isCall ? grpcStatus : nil, [5, 7, 16].contains(call) { return true }
        return [401, 403, 404].contains(status)
    }
}
