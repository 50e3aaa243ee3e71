// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding

/// Everything that came out of a savefile.
struct Reading {
    var packets: [CapturedPacket] = []
    var octets: [[UInt8]] = []
    var error: CaptureError?

    /// Reads a savefile to its end or to an error.
    init(_ path: String, filter: String? = nil) {
        do throws(CaptureError) {
            var savefile = try SavefileReader(path: path, filter: filter)
            while let packet = try savefile.next() {
                packets.append(packet)
                octets.append(Self.copy(savefile.octets))
            }
        } catch {
            self.error = error
        }
    }

    static func copy(_ octets: Span<UInt8>) -> [UInt8] {
        octets.indices.map { octets[$0] }
    }
}
