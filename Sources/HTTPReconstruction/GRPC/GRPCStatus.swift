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
}

/// Finds the status in the trailer section of gRPC-Web, which has field lines as HTTP/1.1 writes them (PROTOCOL-WEB).
///
/// The section may be of any length, and comes in pieces, so no more is kept of it than how far the line at hand is one of
/// `grpc-status`, and its number.
struct TrailerScan {
    /// What the first such line says; `nil` before it has come to its end.
    private(set) var code: Int8?
    private var place = Place.name(0)
    /// The value without white space around it: how many octets, the first two of them, and what may be its end.
    private var count = 0
    private var number: Int8 = 0
    private var spaces = 0

    private enum Place {
        /// So many octets of the name, and nothing else, are behind the beginning of the line.
        case name(Int)
        case value
        /// A line of another name.
        case other
    }

    private static var name: StaticString { "grpc-status:" }

    init() {}

    /// Takes the next octets of the section.
    mutating func octetsArrived(_ octets: Span<UInt8>) {
        guard code == nil else { return }
        for index in octets.indices {
            let octet = octets[index]
            if octet == 0x0A {
                ended()
                if code != nil { return }
                continue
            }
            switch place {
            case .other: continue
            case .name(let matched):
                let folded = octet &- 0x41 < 26 ? octet | 0x20 : octet
                guard folded == Self.name.octet(at: matched) else {
                    place = .other
                    continue
                }
                place = matched + 1 < Self.name.utf8CodeUnitCount ? .name(matched + 1) : .value
            case .value: valueArrived(octet)
            }
        }
    }

    /// The line, or with it the section, is over.
    mutating func ended() {
        if case .value = place, code == nil {
            code = 1...2 ~= count && number >= 0 ? min(number, GRPCStatus.other) : GRPCStatus.other
        }
        place = .name(0)
    }

    private mutating func valueArrived(_ octet: UInt8) {
        guard octet > 0x20 else {
            if count > 0 { spaces = 1 }
            return
        }
        // White space within it, a third digit, or what is no digit make it no code.
        guard octet.isDigit, spaces == 0, count < 2 else {
            number = -1
            return
        }
        number = number * 10 + Int8(octet & 0x0F)
        count += 1
    }
}
