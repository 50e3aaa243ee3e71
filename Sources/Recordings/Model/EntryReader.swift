// Wingmirror · Apache-2.0

internal import TrafficModel

/// Reads what an ``EntryWriter`` wrote.
struct EntryReader {
    private let octets: [UInt8]
    private var index = 0
    /// Whether something was not as it is written; what was read then means nothing.
    private(set) var isDamaged = false

    init(_ octets: [UInt8]) {
        self.octets = octets
    }

    mutating func number() -> Int64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < octets.count, shift < 64 {
            let octet = octets[index]
            index += 1
            value |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return Int64(bitPattern: value >> 1) ^ (0 &- Int64(bitPattern: value & 1)) }
            shift += 7
        }
        isDamaged = true
        return 0
    }

    mutating func isSo() -> Bool { number() != 0 }

    /// How many things follow, of which each takes an octet at least.
    private mutating func count() -> Int {
        let count = number()
        guard (0...Int64(octets.count - index)).contains(count) else {
            isDamaged = true
            return 0
        }
        return Int(count)
    }

    private mutating func slice() -> ArraySlice<UInt8> {
        let count = count()
        defer { index += count }
        return octets[index..<index + count]
    }

    mutating func text() -> [UInt8] { Array(slice()) }

    mutating func string() -> String { String(decoding: slice(), as: UTF8.self) }

    mutating func optional<Value>(_ body: (inout EntryReader) -> Value) -> Value? {
        isSo() ? body(&self) : nil
    }

    mutating func optionalNumber() -> Int64? { optional { $0.number() } }

    mutating func exchange() -> RecordedExchange {
        let method = string()
        let request = RecordedRequest(method: method, target: text(), message: message())
        let response = optional { $0.response() }
        let route = RouteName(virtualServiceNamespace: string(), virtualService: string(), route: string())
        var exchange = RecordedExchange(request: request, response: response, route: route, startTime: 0)
        exchange.clientAddress = string()
        exchange.connection = Int(number())
        exchange.serverAddress = string()
        exchange.serverPort = Int(number())
        exchange.protocolVersion = string()
        exchange.startTime = number()
        exchange.requestNanoseconds = optionalNumber()
        exchange.firstByteNanoseconds = optionalNumber()
        exchange.durationNanoseconds = optionalNumber()
        for _ in 0..<count() { exchange.integrity.append(string()) }
        exchange.isRequestEnded = isSo()
        exchange.isSecured = isSo()
        exchange.serverName = optional { $0.string() }
        return exchange
    }

    mutating func response() -> RecordedResponse {
        let status = Int(number())
        return RecordedResponse(status: status, message: message())
    }

    private mutating func message() -> RecordedMessage {
        var message = RecordedMessage(fields: fields())
        message.trailers = fields()
        message.content = text()
        message.contentOctets = number()
        message.contentIsOpen = isSo()
        return message
    }

    private mutating func fields() -> [RecordedField] {
        let count = count()
        var fields: [RecordedField] = []
        fields.reserveCapacity(count)
        for _ in 0..<count {
            let name = string()
            let value = text()
            fields.append(RecordedField(name: name, value: value, isSecret: isSo()))
        }
        return fields
    }
}
