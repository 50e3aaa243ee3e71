// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly
package import TrafficPipeline

extension PipelineFigures {
    /// What keeps a whole capture from being read: packets came that could not be decoded, and no TCP; else `nil`.
    ///
    /// Packets that are damaged, cut short or beyond a limit say nothing of the format, and are counted only.
    package var undecodedCapture: String? {
        let packets = interfaces.reduce(0) { $0 + $1.packets }
        let encrypted = ignored[Int(IgnoredReason.encrypted.rawValue)]
        let undecoded = unsupportedPackets + encrypted
        guard reassembly.segments == 0, undecoded > 0 else { return nil }
        let causes = Self.causes(
            unsupportedFormats + (encrypted > 0 ? [("encrypted with IPsec, MACsec or WPA", encrypted)] : [])
        )
        guard undecoded == packets else {
            return "there is no TCP, and \(undecoded) of the \(packets) packets could not be decoded (\(causes))"
        }
        return packets == 1
            ? "the only packet could not be decoded (\(causes))"
            : "none of the \(packets) packets could be decoded (\(causes))"
    }

    /// What a capture is read without: packets beside its TCP whose formats are not decoded; else `nil`.
    package var undecodedPart: String? {
        guard reassembly.segments > 0, unsupportedPackets > 0 else { return nil }
        let packets = interfaces.reduce(0) { $0 + $1.packets }
        return "\(unsupportedPackets) of the \(packets) packets could not be decoded "
            + "(\(Self.causes(unsupportedFormats))): what they carry is missing"
    }

    /// What a capture lacks though its formats are decoded, a sentence each: what the snapshot length cut off, and, where there
    /// is no TCP, packets whose headers contradict themselves.
    package var damage: [String] {
        let packets = interfaces.reduce(0) { $0 + $1.packets }
        let cut = interfaces.reduce(0) { $0 + $1.truncatedPackets }
        let malformed = failingPackets(.malformed)
        var sentences: [String] = []
        if cut > 0, cut * Self.noticeablePart >= packets {
            sentences.append(
                "\(cut) of the \(packets) packets were cut short by the snapshot length: what was cut off is missing "
                    + "(tcpdump -s 0 captures whole packets)"
            )
        }
        if reassembly.segments == 0, malformed > 0, undecodedCapture == nil {
            sentences.append(
                "there is no TCP, and the headers of \(malformed) of the \(packets) packets contradict themselves"
            )
        }
        return sentences
    }

    /// One packet in so many is worth a sentence.
    private static var noticeablePart: Int { 20 }

    private var unsupportedPackets: Int { failingPackets(.unsupported) }

    private func failingPackets(_ reason: DecodeFailure.Reason) -> Int {
        failures.filter { $0.key.reason == reason }.values.reduce(0, +)
    }

    /// The formats of packets that are not decoded, with how many came in each; the layers, where no format is known.
    private var unsupportedFormats: [(name: String, packets: Int)] {
        guard undecoded.isEmpty else { return undecoded.sorted { $0.key < $1.key }.map { ($0.key.text, $0.value) } }
        return failures.filter { $0.key.reason == .unsupported }
            .map { ("\($0.key.layer.label): \($0.key.reason.label)", $0.value) }
            .sorted { $0.0 < $1.0 }
    }

    private static func causes(_ formats: [(name: String, packets: Int)]) -> String {
        formats.map { formats.count == 1 ? $0.name : "\($0.name): \($0.packets)" }.joined(separator: ", ")
    }
}
