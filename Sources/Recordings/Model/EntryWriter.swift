// Wingmirror · Apache-2.0

internal import TrafficModel

/// Writes the parts of recorded exchanges as octets for ``EntryReader``, in a form of this program run's own.
struct EntryWriter {
    private(set) var octets: [UInt8] = []

    /// Adds a number: seven bits an octet, small ones of either sign in one.
    mutating func add(_ number: Int64) {
        var rest = UInt64(bitPattern: (number << 1) ^ (number >> 63))
        while rest >= 0x80 {
            octets.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        octets.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func add(_ isSo: Bool) { octets.append(isSo ? 1 : 0) }

    mutating func add(_ text: [UInt8]) {
        add(Int64(text.count))
        octets += text
    }

    mutating func add(_ text: String) {
        add(Int64(text.utf8.count))
        octets += text.utf8
    }

    /// Adds what may not be there, behind whether it is.
    mutating func add<Value>(optional value: Value?, _ body: (inout EntryWriter, Value) -> Void) {
        add(value != nil)
        if let value { body(&self, value) }
    }

    mutating func add(optional number: Int64?) { add(optional: number) { $0.add($1) } }

    mutating func add(_ exchange: RecordedExchange) {
        add(exchange.request.method)
        add(exchange.request.target)
        add(exchange.request.message)
        add(optional: exchange.response) { $0.add($1) }
        add(exchange.route.virtualServiceNamespace)
        add(exchange.route.virtualService)
        add(exchange.route.route)
        add(exchange.clientAddress)
        add(Int64(exchange.connection))
        add(exchange.serverAddress)
        add(Int64(exchange.serverPort))
        add(exchange.protocolVersion)
        add(exchange.startTime)
        add(optional: exchange.requestNanoseconds)
        add(optional: exchange.firstByteNanoseconds)
        add(optional: exchange.durationNanoseconds)
        add(Int64(exchange.integrity.count))
        for word in exchange.integrity { add(word) }
        add(exchange.isRequestEnded)
        add(exchange.isSecured)
        add(optional: exchange.serverName) { $0.add($1) }
    }

    mutating func add(_ response: RecordedResponse) {
        add(Int64(response.status))
        add(response.message)
    }

    private mutating func add(_ message: RecordedMessage) {
        add(message.fields)
        add(message.trailers)
        add(message.content)
        add(message.contentOctets)
        add(message.contentIsOpen)
    }

    private mutating func add(_ fields: [RecordedField]) {
        add(Int64(fields.count))
        for field in fields {
            add(field.name)
            add(field.value)
            add(field.isSecret)
        }
    }
}
