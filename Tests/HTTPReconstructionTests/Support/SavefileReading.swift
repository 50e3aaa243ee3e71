// Wingmirror · Apache-2.0

import Foundation
import HTTPReconstruction
import PacketDecoding
import TCPReassembly

/// Reads small savefiles of Ethernet frames through decoding, reassembly and reconstruction.
enum SavefileReading {
    /// The sink after all packets of `Fixtures/cases/NAME.pcap`, with the figures of reconstruction.
    ///
    /// `step` is how often time is told while no packet comes, in nanoseconds, as it is on an interface.
    static func read(
        _ name: String,
        limits: ReassemblyLimits = ReassemblyLimits(),
        tellingTimeEvery step: Int64? = nil
    ) throws -> (sink: RecordingSink, statistics: HTTPStatistics) {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/cases/\(name).pcap")
        let file = [UInt8](try Data(contentsOf: url))
        var decoder = PacketDecoder()
        var table = ConnectionTable(limits: limits)
        var reconstructor = HTTPReconstructor(sink: RecordingSink())
        var latest = PacketTime(nanoseconds: 0)
        var index = 24
        while index + 16 <= file.count {
            let captured = number(file, index + 8)
            let nanoseconds = number(file, index) * 1_000_000_000 + number(file, index + 4) * 1_000
            if let step, index > 24 {
                for silent in stride(from: latest.nanoseconds + step, to: Int64(nanoseconds), by: Int64.Stride(step)) {
                    table.timeAdvanced(to: PacketTime(nanoseconds: silent), into: &reconstructor)
                }
            }
            latest = PacketTime(nanoseconds: Int64(nanoseconds))
            let frame = Array(file[index + 16..<index + 16 + captured])
            let packet = CapturedPacket(
                time: latest,
                linkType: .ethernet,
                interface: 0,
                wireLength: number(file, index + 12)
            )
            if case .segment(let segment) = decoder.decode(frame.span, of: packet) {
                table.segmentArrived(segment, octets: frame.span, at: latest, interface: 0, into: &reconstructor)
            }
            index += 16 + captured
        }
        table.captureEnded(at: latest, into: &reconstructor)
        return (reconstructor.sink, reconstructor.statistics)
    }

    /// A number of 32 bits, the lowest octet first, as the savefiles were written.
    private static func number(_ file: [UInt8], _ index: Int) -> Int {
        file[index..<index + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
