// Wingmirror · Apache-2.0
// The status of a gRPC call: gRPC's PROTOCOL-HTTP2 ("Status") and PROTOCOL-WEB.

internal import TrafficModel

enum GRPCStatus {
    /// Stands for every value that is no status of gRPC.
    static let other: Int8 = 17

    /// The code that the value of a `grpc-status` field says: 0 to 16, or ``other``.
    static func code(_ value: Span<UInt8>) -> Int8 {
        guard value.count == 1 || value.count == 2 else { return other }
        var number: Int8 = 0
        for index in value.indices {
            guard value[index].isDigit else { return other }
            number = number * 10 + Int8(value[index] & 0x0F)
        }
        return min(number, other)
    }

    /// The code in the trailer section of gRPC-Web: field lines as HTTP/1.1 writes them.
    static func code(inTrailers octets: Span<UInt8>) -> Int8? {
        var start = 0
        while start < octets.count {
            var end = start
            while end < octets.count, octets[end] != 0x0A { end += 1 }
            if let code = code(inLine: octets.extracting(start..<end)) { return code }
            start = end + 1
        }
        return nil
    }

    private static func code(inLine line: Span<UInt8>) -> Int8? {
        let name: StaticString = "grpc-status:"
        let length = name.utf8CodeUnitCount
        guard line.count > length else { return nil }
        for index in 0..<length {
            let octet = line[index]
            guard (octet &- 0x41 < 26 ? octet | 0x20 : octet) == name.octet(at: index) else { return nil }
        }
        var first = length
        var last = line.count
        while first < last, line[first] == 0x20 || line[first] == 0x09 { first += 1 }
        while last > first, line[last - 1] <= 0x20 { last -= 1 }
        return code(line.extracting(first..<last))
    }
}
