// Wingmirror · Apache-2.0
// gRPC calls and WebSockets in exchange records: the guide Records.

internal import HTTPReconstruction
internal import JSONSyntax

extension RecordEncoder {
    /// Adds the messages of a gRPC call; a number is `null` where octets were missed.
    mutating func appendCall(_ facts: ExchangeFacts) {
        line.key("grpcMessages")
        line.beginObject()
        line.key("request")
        appendCount(facts.requestMessages.count)
        line.key("response")
        appendCount(facts.responseMessages.count)
        line.key("firstResponseSeconds")
        appendSeconds(facts.firstMessageNanoseconds)
        line.key("lastResponseSeconds")
        appendSeconds(facts.lastMessageNanoseconds)
        line.endObject()
    }

    /// Adds what a WebSocket carried.
    mutating func appendWebSocket(_ figures: WebSocketFigures) {
        line.key("websocketFrames")
        line.beginObject()
        line.key("request")
        appendDirection(figures.request)
        line.key("response")
        appendDirection(figures.response)
        line.key("closeCode")
        appendCount(figures.close?.code.map(Int.init))
        line.key("closedBy")
        if let close = figures.close { line.string(close.isByClient ? "client" : "server") } else { line.null() }
        line.key("pingSeconds")
        line.beginList()
        for ping in figures.pingNanoseconds { line.seconds(nanoseconds: ping) }
        line.endList()
        line.key("lifetimeSeconds")
        line.seconds(nanoseconds: max(0, figures.lifetimeNanoseconds))
        line.endObject()
    }

    private mutating func appendDirection(_ direction: WebSocketFigures.Direction) {
        line.beginObject()
        let counts: [(StaticString, Int)] = [
            ("text", direction.textFrames), ("binary", direction.binaryFrames),
            ("continuation", direction.continuationFrames), ("close", direction.closeFrames),
            ("ping", direction.pingFrames), ("pong", direction.pongFrames),
            ("messages", direction.textMessages + direction.binaryMessages), ("payloadBytes", direction.payloadBytes),
            ("wireBytes", direction.wireBytes),
        ]
        for (name, count) in counts {
            line.key(name)
            line.integer(count)
        }
        line.key("complete")
        line.bool(!direction.isUncertain)
        line.endObject()
    }

    private mutating func appendCount(_ count: Int?) {
        if let count { line.integer(count) } else { line.null() }
    }
}
