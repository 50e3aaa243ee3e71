// Wingmirror · Apache-2.0
// The handshake: what the hellos say.

internal import TCPReassembly

extension TLSConnection {
    mutating func clearRecordArrived(
        _ header: RecordHeader,
        _ record: [UInt8],
        _ direction: StreamDirection,
        _ context: TLSContext
    ) {
        switch header.type {
        case ContentType.changeCipherSpec: changeCipherSpecArrived(direction)
        case ContentType.handshake:
            handshakeArrived(record.span.extracting(RecordHeader.octetCount...), direction, context)
        case ContentType.alert where header.length == 2:
            context.statistics.alerts[record[RecordHeader.octetCount + 1], default: 0] += 1
        default: break
        }
    }

    /// Up to TLS 1.2 everything behind it is encrypted; in TLS 1.3 it means nothing (RFC 8446 §5).
    mutating func changeCipherSpecArrived(_ direction: StreamDirection) {
        if let serverHello, serverHello.version < 0x0304 { self[direction].isEncrypted = true }
    }

    mutating func handshakeArrived(_ octets: Span<UInt8>, _ direction: StreamDirection, _ context: TLSContext) {
        guard !octets.isEmpty, !self[direction].isHelloRead,
            self[direction].handshake.count + octets.count <= context.limits.handshakeOctets
        else { return }
        self[direction].handshake.append(contentsOf: octets)
        readHello(direction, context)
    }

    mutating func readHello(_ direction: StreamDirection, _ context: TLSContext) {
        while self[direction].handshake.count >= 4 {
            let message = self[direction].handshake
            let length = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
            // A random tells enough to find keys, so a hello is read as it grows.
            guard message.count >= 4 + length else {
                if message[0] == 1, self[direction].helloLooks.mayLook(at: message.count) {
                    clientHelloArrived(message.span, direction, context)
                }
                return
            }
            switch message[0] {
            case 1:
                clientHelloArrived(message.span.extracting(..<(4 + length)), direction, context)
                // Another may follow, when the server asks for it.
                self[direction].handshake.removeFirst(4 + length)
            case 2:
                let isLast = serverHelloArrived(message.span.extracting(..<(4 + length)), direction, context)
                self[direction].handshake.removeFirst(4 + length)
                if isLast { return finishHello(direction, context) }
            default:
                return finishHello(direction, context)
            }
        }
    }

    mutating func finishHello(_ direction: StreamDirection, _ context: TLSContext) {
        let message = self[direction].handshake
        switch message.first {
        case 1: clientHelloArrived(message.span, direction, context)
        case 2: _ = serverHelloArrived(message.span, direction, context)
        default: break
        }
        self[direction].handshake = []
        self[direction].isHelloRead = true
    }

    mutating func clientHelloArrived(_ message: Span<UInt8>, _ direction: StreamDirection, _ context: TLSContext) {
        guard var hello = ClientHello(message) else { return }
        // The first of two hellos may have been followed by data.
        if serverHello != nil, clientHello?.mayHaveEarlyData == true { hello.mayHaveEarlyData = true }
        clientDirection = direction
        clientHello = hello
        // A second hello, which the server asked for, names the same server (RFC 8446 §4.1.2).
        if hello.isServerNameKnown || !context.sessions[session].isServerNameKnown {
            context.sessions[session].serverName = hello.serverName
            context.sessions[session].isServerNameKnown = hello.isServerNameKnown
        }
        context.sessions[session].offeredProtocols = hello.protocols
    }

    /// - Returns: Whether it is the hello that counts, and no request for another of the client.
    mutating func serverHelloArrived(
        _ message: Span<UInt8>,
        _ direction: StreamDirection,
        _ context: TLSContext
    ) -> Bool {
        guard let hello = ServerHello(message) else { return true }
        clientDirection = direction.reversed
        serverHello = hello
        context.sessions[session].version = hello.version
        context.sessions[session].cipherSuite = hello.suite
        context.sessions[session].chosenProtocol = hello.chosenProtocol
        if hello.isRetryRequest {
            // A server that asks for another hello has refused what came with the first (RFC 8446 §4.2.10).
            self[clientDirection].early = nil
            self[clientDirection].earlyData = []
            self[clientDirection].earlyLostOctets = 0
        }
        return !hello.isRetryRequest
    }
}
