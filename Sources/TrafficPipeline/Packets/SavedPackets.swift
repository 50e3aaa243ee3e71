// Wingmirror · Apache-2.0
// The classic savefile format: pcap-savefile(5).

public import PacketDecoding

/// The packets of one connection as a savefile, with times in nanoseconds.
///
/// A savefile has one link type. Where the connection was captured with several, what stands before the outermost IP
/// header is left out, so that all packets are raw IP. A segment that several interfaces captured is written once, as the
/// file has no interfaces to tell it from one that was sent twice.
public struct SavedPackets: Sendable {
    /// The savefile.
    public let octets: [UInt8]
    /// How many packets it has.
    public let count: Int
    /// When the first of them was captured.
    public let first: PacketTime
    /// When the last of them was captured.
    public let last: PacketTime
    /// Whether the connection's beginning is among them: the SYN or its answer.
    public let hasBeginning: Bool
    /// How many packets were left out at the beginning, as the file would be too large.
    public let leftOut: Int

    /// Within this time of packets, in nanoseconds, a segment from another interface is the same, and fragments are of one
    /// datagram.
    private static let nearness: Int64 = 30_000_000_000

    /// Where a packet is.
    private struct Place {
        let block: PacketBlock
        let offset: Int
        let header: PacketBlock.Header
    }

    /// Takes the packets of a connection from blocks, the oldest first; `nil` if there is none.
    init?(ofConnection number: Int64, in blocks: [PacketBlock], age: Int64, limit: Int) {
        var places = Self.places(ofConnection: number, in: blocks, age: age)
        Self.removeRepeated(&places)
        var size = 24
        let fitting = places.reversed().prefix { place in
            size += 16 + Int(place.header.captured)
            return size <= limit
        }
        leftOut = places.count - fitting.count
        places.removeFirst(leftOut)
        guard let first = places.first, let last = places.last else { return nil }
        self.first = first.header.packet.time
        self.last = last.header.packet.time
        let isUniform = places.allSatisfy { $0.header.linkType == first.header.linkType }
        var file = SavefileWriter(
            linkType: isUniform ? first.header.packet.linkType : .raw,
            resolution: .nanoseconds
        )
        var count = 0
        var hasBeginning = false
        for place in places {
            place.block.withPacket(at: place.offset) { header, octets in
                let start = isUniform ? 0 : PacketDecoder.internetOffset(in: octets, of: header.packet)
                guard let start else { return }
                file.append(header.packet, octets: octets, from: start)
                count += 1
                hasBeginning = hasBeginning || Self.opens(octets, header.packet)
            }
        }
        self.count = count
        self.hasBeginning = hasBeginning
        octets = file.octets
    }

    /// The packets of a connection, and fragments of those of its datagrams that were completed; none older than `age`.
    private static func places(ofConnection number: Int64, in blocks: [PacketBlock], age: Int64) -> [Place] {
        var places: [Place] = []
        // Not the latest time of all: a clock that was set back would make everything after it old.
        var newest: Int64 = 0
        for block in blocks {
            block.visit { offset, header, _ in
                newest = header.time
                guard header.connection == number || header.connection == PacketBlock.Header.fragment else { return }
                places.append(Place(block: block, offset: offset, header: header))
            }
        }
        // Times of packets may be anything; a difference beyond the range wraps.
        places.removeAll { newest &- $0.header.time > age }
        removeFragments(&places, exceptOf: number)
        return places
    }

    /// Removes fragments but for those of datagrams that a packet of the connection completes.
    private static func removeFragments(_ places: inout [Place], exceptOf number: Int64) {
        var completions: [FragmentKey: [Int64]] = [:]
        for place in places where place.header.connection == number {
            let key = place.block.withPacket(at: place.offset) { header, octets in
                PacketDecoder.fragmentedDatagram(in: octets, of: header.packet)
            }
            if let key { completions[key, default: []].append(place.header.time) }
        }
        places.removeAll { place in
            guard place.header.connection == PacketBlock.Header.fragment else { return false }
            guard !completions.isEmpty else { return true }
            let key = place.block.withPacket(at: place.offset) { header, octets in
                PacketDecoder.fragmentedDatagram(in: octets, of: header.packet)
            }
            let times = key.flatMap { completions[$0] } ?? []
            return !times.contains { ($0 &- place.header.time).magnitude <= nearness }
        }
    }

    /// What tells a segment from others, but for where it was captured.
    private struct SegmentKey: Hashable {
        let source: Endpoint
        let sequenceNumber: SequenceNumber
        let acknowledgementNumber: SequenceNumber
        let flags: TCPFlags
        let identification: UInt16
        let payloadLength: Int
    }

    /// Removes the copies of segments that another interface had captured before.
    private static func removeRepeated(_ places: inout [Place]) {
        guard let first = places.first, places.contains(where: { $0.header.interface != first.header.interface }) else {
            return
        }
        var seen: [SegmentKey: (time: Int64, interface: UInt32)] = [:]
        var decoder = PacketDecoder()
        places.removeAll { place in
            let segment: TCPSegment? = place.block.withPacket(at: place.offset) { header, octets in
                switch decoder.decode(octets, of: header.packet) {
                case .segment(let segment): segment
                case .reassembledSegment, .ignored, .failed: nil
                }
            }
            guard let segment else { return false }
            let key = SegmentKey(
                source: segment.source,
                sequenceNumber: segment.sequenceNumber,
                acknowledgementNumber: segment.acknowledgementNumber,
                flags: segment.flags,
                identification: segment.identification,
                payloadLength: segment.payload.count + segment.truncatedOctets
            )
            if let earlier = seen[key], earlier.interface != place.header.interface,
                place.header.time &- earlier.time <= nearness
            {
                return true
            }
            seen[key] = (place.header.time, place.header.interface)
            return false
        }
    }

    private static func opens(_ octets: Span<UInt8>, _ packet: CapturedPacket) -> Bool {
        var decoder = PacketDecoder()
        guard case .segment(let segment) = decoder.decode(octets, of: packet) else { return false }
        return segment.flags.contains(.syn)
    }
}
