// Wingmirror · Apache-2.0

package import PacketDecoding
package import TrafficPipeline

extension PipelineFigures {
    /// What keeps a whole capture from being read: packets came, and not one of them could be decoded; else `nil`.
    ///
    /// - Parameter linkType: The link type of the first packet.
    /// - Returns: A sentence that names what the packets are.
    package func undecodedCapture(of linkType: LinkType?) -> String? {
        let packets = interfaces.reduce(0) { $0 + $1.packets }
        let unknown = ignored[Int(IgnoredReason.otherEtherType.rawValue)]
        guard packets > 0, failures.values.reduce(unknown, +) == packets else { return nil }
        var causes = Set(failures.keys.map { "\($0.layer.label): \($0.reason.label)" }).sorted()
        if unknown > 0 { causes.append("an EtherType that is not decoded") }
        let place = linkType.map { "link type \($0.rawValue); " } ?? ""
        return "none of \(packets) packets could be decoded (\(place)\(causes.joined(separator: ", ")))"
    }
}
