// Wingmirror · Apache-2.0

import TCPReassembly
import TrafficPipeline

/// What pcap files say of the clocks that stamped their packets.
struct CaptureClocks: Sendable {
    private let offsets: [InterfaceClockOffset]
    private let lateOctets: Int
    private let lateness: Int64
    private let packetsWithoutTime: Int
    private let repeatedConnections: Int
    private let files: [String]

    /// Takes what was found in these files, in the order in which they were named.
    init(_ figures: PipelineFigures, files: [String]) {
        offsets = figures.reassembly.clockOffsets
        lateOctets = figures.reassembly.lateOctets
        lateness = figures.reassembly.lateness
        packetsWithoutTime = figures.packetsWithoutTime
        repeatedConnections = figures.reassembly.repeatedConnections
        self.files = files
    }

    /// What an operator should know, a sentence each; none where all packets are stamped by one clock.
    var sentences: [String] {
        offsets.filter(\.makesDurationsUnreliable).compactMap(difference)
            + (lateness > 0 ? [late] : []) + (packetsWithoutTime > 0 ? [timeless] : [])
            + (repeatedConnections > 0 ? [repeated] : [])
    }

    private func difference(_ offset: InterfaceClockOffset) -> String? {
        guard let estimate = offset.estimate else { return nil }
        let amount = HumanUnits.seconds(Double(abs(estimate)) / 1_000_000_000)
        return "the clock of \(name(offset.second)) is \(amount) \(estimate > 0 ? "ahead of" : "behind") that of "
            + "\(name(offset.first)), by \(offset.handshakes) handshakes: connections that pass by both have no durations "
            + "(clock_unreliable)"
    }

    private var late: String {
        let amount = HumanUnits.seconds(Double(lateness) / 1_000_000_000)
        let left = lateOctets > 0 ? "; \(HumanUnits.octets(UInt64(lateOctets))) came too late and are left out" : ""
        return "packets of one interface are up to \(amount) later than those of another that answer them, as when two "
            + "clocks differ: the first requests and responses may not be matched\(left)"
    }

    private var repeated: String {
        "\(HumanUnits.count(UInt64(repeatedConnections))) connections were captured twice, at times that are far apart, as by two taps "
            + "with different clocks: their requests are counted twice"
    }

    private var timeless: String {
        "\(HumanUnits.count(UInt64(packetsWithoutTime))) packets have no time (simple packet blocks of pcapng, or times out of range): "
            + "their connections have no durations (clock_unreliable)"
    }

    /// The file, and the interface in it where it is one of several.
    private func name(_ origin: Int) -> String {
        guard !files.isEmpty, origin >= 0 else { return "interface \(origin)" }
        let file = files[origin % files.count]
        let isOneOfSeveral = offsets.contains { offset in
            [offset.first, offset.second].contains { $0 != origin && $0 % files.count == origin % files.count }
        }
        return isOneOfSeveral ? "interface \(origin / files.count) of \(file)" : file
    }
}
