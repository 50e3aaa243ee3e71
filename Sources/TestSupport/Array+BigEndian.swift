// Wingmirror · Apache-2.0

extension [UInt8] {
    /// Appends a number in network byte order.
    public mutating func append(bigEndian number: some FixedWidthInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Writes a number in network byte order over the octets from `index` on.
    public mutating func replace(bigEndian number: some FixedWidthInteger, at index: Int) {
        var octets: [UInt8] = []
        octets.append(bigEndian: number)
        replaceSubrange(index..<index + octets.count, with: octets)
    }
}
