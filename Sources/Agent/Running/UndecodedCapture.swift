// Wingmirror · Apache-2.0

import PacketDecoding
package import TrafficPipeline

extension PipelineFigures {
    /// What keeps a whole capture from being read: packets came, all in formats that are not decoded; else `nil`.
    ///
    /// Packets that are damaged, cut short or beyond a limit say nothing of the format, and are counted only.
    package var undecodedCapture: String? {
        let packets = interfaces.reduce(0) { $0 + $1.packets }
        let unsupported = failures.filter { $0.key.reason == .unsupported }
        guard packets > 0, unsupported.values.reduce(0, +) == packets else { return nil }
        let formats = undecoded.sorted { $0.key < $1.key }.map { "\($0.key.text)" }
        let reasons = Set(unsupported.keys.map { "\($0.layer.label): \($0.reason.label)" }).sorted()
        let causes = (formats.isEmpty ? reasons : formats).joined(separator: ", ")
        return packets == 1
            ? "the only packet could not be decoded (\(causes))"
            : "none of the \(packets) packets could be decoded (\(causes))"
    }
}
