// Wingmirror · Apache-2.0

import PacketDecoding
package import TrafficPipeline

extension PipelineFigures {
    /// What keeps a whole capture from being read: packets came, and not one of them could be decoded; else `nil`.
    ///
    /// Packets that meet a bound of ours, as hostile ones do, keep nothing from being read.
    package var undecodedCapture: String? {
        let packets = interfaces.reduce(0) { $0 + $1.packets }
        guard packets > 0, failures.values.reduce(0, +) == packets,
            failures.keys.contains(where: { $0.reason != .limitReached })
        else { return nil }
        let formats = undecoded.sorted { $0.key < $1.key }.map { "\($0.key.text)" }
        let reasons = Set(failures.keys.map { "\($0.layer.label): \($0.reason.label)" }).sorted()
        let causes = (formats.isEmpty ? reasons : formats).joined(separator: ", ")
        return packets == 1
            ? "the only packet could not be decoded (\(causes))"
            : "none of the \(packets) packets could be decoded (\(causes))"
    }
}
