// Wingmirror · Apache-2.0
// HPACK Huffman code, RFC 7541 §5.2 and Appendix B.

/// The Huffman code of HPACK, ready for decoding eight bits a step.
///
/// The code is canonical: the lengths of Appendix B, sorted by length and then by symbol, give all codes. The common
/// symbols have 5 to 8 bits and are found by one look at the next eight; the others have 10 to 30 and are found by
/// comparing with the first code of each length.
struct HuffmanCode {
    /// For each value of the next eight bits: length of the code in the upper octet, symbol in the lower; 0 for a longer code.
    private let root: [UInt16]
    /// Symbols in the order of their codes.
    private let symbols: [UInt16]
    /// For each length: the first code of that length, its place in `symbols`, and how many there are.
    private let lengths: [(first: UInt32, place: UInt16, count: UInt16)]

    /// The one code there is, made once for the process.
    static let canonical = HuffmanCode()

    private init() {
        let order = (0..<257).sorted { (Self.bitLengths[$0], $0) < (Self.bitLengths[$1], $1) }
        var root = [UInt16](repeating: 0, count: 256)
        var lengths = [(first: UInt32, place: UInt16, count: UInt16)](repeating: (0, 0, 0), count: 31)
        var code: UInt32 = 0
        var length = 5
        for (place, symbol) in order.enumerated() {
            let own = Int(Self.bitLengths[symbol])
            code <<= UInt32(own - length)
            length = own
            if lengths[own].count == 0 { lengths[own] = (code, UInt16(place), 0) }
            lengths[own].count += 1
            if own <= 8 {
                let first = Int(code) << (8 - own)
                for value in first..<first + 1 << (8 - own) { root[value] = UInt16(own << 8 | symbol) }
            }
            code += 1
        }
        self.root = root
        self.lengths = lengths
        symbols = order.map { UInt16($0) }
    }

    /// The symbol that the next eight bits begin with, and the length of its code; a length of 0 for a longer code.
    @inline(__always)
    func short(_ bits: Int) -> (symbol: UInt8, length: Int) {
        let found = root[bits]
        return (UInt8(truncatingIfNeeded: found), Int(found >> 8))
    }

    /// The symbol that the next 30 bits begin with, given that its code has more than eight; 256 is EOS.
    func long(_ bits: UInt32) -> (symbol: Int, length: Int) {
        for length in 10...30 {
            let offset = (bits >> UInt32(30 - length)) &- lengths[length].first
            if offset < lengths[length].count {
                return (Int(symbols[Int(lengths[length].place) + Int(offset)]), length)
            }
        }
        preconditionFailure("HuffmanCode.long: the code is complete, so every value has a symbol")
    }

    /// Lengths of the codes of octets 0 to 255 and of EOS (RFC 7541 Appendix B).
    private static let bitLengths: [UInt8] = [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
        28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
        7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
        23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
        21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
    ]
}

/// Bits of a Huffman-coded string that are read but not decoded; survives the end of a fragment.
struct HuffmanState {
    /// The next bits, the last of them lowest.
    private var bits: UInt64 = 0
    /// How many of `bits` count.
    private var count = 0

    /// Decodes the next octets of a string, as far as whole symbols go.
    ///
    /// - Parameters:
    ///   - octets: The encoded octets; borrowed for the call only.
    ///   - code: The code.
    ///   - output: Takes the symbols.
    /// - Throws: `.invalidHuffman` of EOS.
    mutating func decode(
        _ octets: Span<UInt8>,
        _ code: borrowing HuffmanCode,
        into output: inout OctetBuffer
    ) throws(HPACKError) {
        // No symbol has fewer than 5 bits.
        let most = (octets.count * 8 + count) / 5
        try output.append(atMost: most) { (room) throws(HPACKError) in try decode(octets, code, into: &room) }
    }

    private mutating func decode(
        _ octets: Span<UInt8>,
        _ code: borrowing HuffmanCode,
        into room: inout OutputSpan<UInt8>
    ) throws(HPACKError) {
        var bits = bits
        var count = count
        var index = 0
        while true {
            while count <= 56, index < octets.count {
                bits = bits << 8 | UInt64(octets[index])
                count &+= 8
                index &+= 1
            }
            if count < 8 { break }
            let short = code.short(Int(truncatingIfNeeded: bits &>> UInt64(count &- 8)) & 0xFF)
            if short.length > 0 {
                count &-= short.length
                room.append(short.symbol)
                continue
            }
            let long = code.long(Self.window(bits, count))
            // More bits may come; if not, padding of ones is the beginning of EOS.
            if long.length > count { break }
            if long.symbol == 256 { throw .invalidHuffman }
            count &-= long.length
            room.append(UInt8(truncatingIfNeeded: long.symbol))
        }
        self.bits = bits
        self.count = count
    }

    /// Decodes what is left at the end of a string, which is then over.
    mutating func finish(_ code: borrowing HuffmanCode, into output: inout OctetBuffer) throws(HPACKError) {
        defer { self = HuffmanState() }
        while count > 0, count < 8 {
            // Ones stand for the bits that are not there: they make a code longer, never shorter.
            let padding = UInt64(8 - count)
            let short = code.short(Int(truncatingIfNeeded: (bits &+ 1) << padding &- 1) & 0xFF)
            if short.length == 0 || short.length > count { break }
            count -= short.length
            output.append(short.symbol)
        }
        let mask: UInt64 = 1 << UInt64(count) - 1
        guard count < 8, bits & mask == mask else { throw .invalidHuffman }
    }

    /// The next 30 bits; ones stand for those that are not there.
    private static func window(_ bits: UInt64, _ count: Int) -> UInt32 {
        let next = count >= 30 ? bits >> UInt64(count - 30) : (bits &+ 1) << UInt64(30 - count) &- 1
        return UInt32(truncatingIfNeeded: next) & (1 << 30 - 1)
    }
}
