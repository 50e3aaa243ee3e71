// Wingmirror · Apache-2.0
// Server-sent events: HTML Standard §9.2.

/// One event of a stream that a page listens to.
struct ServerSentEvent: Sendable {
    /// Says how long a page waits before it connects again, in milliseconds.
    static let retry = Array("retry: 2000\n\n".utf8)

    /// What the page listens for; a token.
    var name: String
    /// What it gets; line ends of any kind become LF.
    var data: [UInt8]

    /// The event as it is sent: each line of the data on a line of its own.
    var octets: [UInt8] {
        var octets = Array("event: \(name)\n".utf8)
        octets.reserveCapacity(octets.count + data.count + 16)
        octets += "data: ".utf8
        var followsReturn = false
        for octet in data {
            let isEnd = octet == 0x0A || octet == 0x0D
            if isEnd, !(octet == 0x0A && followsReturn) {
                octets += "\ndata: ".utf8
            } else if !isEnd {
                octets.append(octet)
            }
            followsReturn = octet == 0x0D
        }
        return octets + [0x0A, 0x0A]
    }
}
