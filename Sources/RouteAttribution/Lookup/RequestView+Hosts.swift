// Wingmirror · Apache-2.0

internal import TrafficModel

/// Requests with several Host lines: Envoy joins their values with commas, as those of other fields, and leaves empty ones out.
extension RequestView {
    /// Writes what all Host lines are together.
    func joinHosts(into joined: inout [UInt8]) {
        joined.removeAll(keepingCapacity: true)
        for index in fields.indices where isHost(fields[index]) {
            let value = fields[index].value
            guard !value.isEmpty else { continue }
            if !joined.isEmpty { joined.append(UInt8(ascii: ",")) }
            for place in value { joined.append(octets[place]) }
        }
    }

    /// Whether a condition holds for the value of each Host line.
    func hostsAreAll(where isRight: (Range<Int>) -> Bool) -> Bool {
        for index in fields.indices where isHost(fields[index]) && !isRight(fields[index].value) { return false }
        return true
    }

    private func isHost(_ line: FieldLine) -> Bool {
        guard line.name.count == 4 else { return false }
        let start = line.name.lowerBound
        return octets[start] | 0x20 == UInt8(ascii: "h") && octets[start + 1] | 0x20 == UInt8(ascii: "o")
            && octets[start + 2] | 0x20 == UInt8(ascii: "s") && octets[start + 3] | 0x20 == UInt8(ascii: "t")
    }
}
