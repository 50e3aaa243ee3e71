// Wingmirror · Apache-2.0

/// The octets of an input, taken from the front; where there are no more, everything reads as 0 or as empty.
struct FuzzInput {
    /// All octets of the input.
    let octets: [UInt8]
    private var index = 0

    /// Begins at the first octet.
    init(_ octets: Span<UInt8>) {
        var copy: [UInt8] = []
        copy.reserveCapacity(octets.count)
        for index in octets.indices { copy.append(octets[index]) }
        self.octets = copy
    }

    /// Whether nothing is left.
    var isAtEnd: Bool { index >= octets.count }

    /// What is left.
    var rest: ArraySlice<UInt8> { octets[index...] }

    /// Takes an octet.
    mutating func octet() -> UInt8 {
        guard index < octets.count else { return 0 }
        defer { index += 1 }
        return octets[index]
    }

    /// Takes a number of two octets, the low one first.
    mutating func number() -> Int {
        Int(octet()) | Int(octet()) << 8
    }

    /// Takes a signed number of two octets.
    mutating func signedNumber() -> Int {
        Int(Int16(truncatingIfNeeded: number()))
    }

    /// Takes a number of two octets and as many octets, as far as they are there; says where they lie.
    mutating func counted() -> Range<Int> {
        let count = min(number(), octets.count - index)
        defer { index += count }
        return index..<index + count
    }
}

extension [UInt8] {
    /// Adds a number as ``FuzzInput/number()`` takes it.
    mutating func append(number: Int) {
        append(UInt8(truncatingIfNeeded: number))
        append(UInt8(truncatingIfNeeded: number >> 8))
    }

    /// Adds octets as ``FuzzInput/counted()`` takes them; what is beyond 65,535 is left out.
    mutating func append(counted octets: Span<UInt8>) {
        let count = Swift.min(octets.count, 65_535)
        append(number: count)
        for index in 0..<count { append(octets[index]) }
    }
}
