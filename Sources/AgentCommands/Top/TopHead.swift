// Wingmirror · Apache-2.0

import TrafficMetrics

/// The lines above the table: what is shown, how much of the truth that is, and what no route took.
struct TopHead {
    let frame: TopFrame
    let style: TerminalStyle
    var isPaused = false

    /// The lines, and an empty one after them.
    var lines: [String] { [titleLine, truthLine, unmatchedLine, ""] }

    private var titleLine: String {
        let name = style.apply(.bold, to: "wingmirror top")
        var parts = [frame.source, "\(HumanUnits.rate(frame.requestsPerSecond)) requests"]
        parts.append("over \(HumanUnits.seconds(frame.windowSeconds))")
        if let time = frame.time { parts.append(time) }
        if frame.hasEnded { parts.append("ended") }
        if isPaused { parts.append("PAUSED") }
        let rest = parts.joined(separator: "  ").withVisibleControls
        return name + "  " + rest.cut(to: (style.width ?? .max) - 16)
    }

    /// What the figures leave out; never empty, so that nothing to tell is told too.
    private var truthLine: String {
        guard let truth = frame.truth else {
            return style.apply(.warning, to: "Seen  how much is not known".cut(to: style.width ?? .max))
        }
        let packets = "\(HumanUnits.rate(truth.packetsPerSecond)) packets"
        let all = truth.packets + truth.lostPackets
        var parts = ["lost \(HumanUnits.share(truth.lostPackets, of: all))"]
        parts.append(
            truth.gaps == 0
                ? "no gaps" : "\(HumanUnits.count(truth.gaps)) gaps of \(HumanUnits.octets(truth.gapOctets)) in all"
        )
        let share = HumanUnits.share(truth.opaqueConnections, of: max(truth.connections, truth.opaqueConnections))
        parts.append("\(share) of connections not readable")
        if truth.truncatedPackets > 0 { parts.append("\(HumanUnits.count(truth.truncatedPackets)) packets cut short") }
        if truth.windowUnseen > 0 {
            parts.append("\(HumanUnits.share(truth.windowUnseen, of: truth.windowRequests)) of answers not seen")
        }
        if truth.answersAlone > 0 {
            let answers = truth.answersAlone == 1 ? "answer without its request" : "answers without their requests"
            parts.append("\(HumanUnits.count(truth.answersAlone)) \(answers)")
        }
        let isHalf = truth.windowRequests == 0 && truth.answersAlone > 0
        let isWhole =
            truth.windowUnseen == 0 && truth.lostPackets == 0 && truth.gaps == 0 && truth.opaqueConnections == 0
        let text = "Seen  \(packets), \(parts.joined(separator: ", "))".cut(to: style.width ?? .max)
        return style.apply(isWhole && !isHalf && truth.truncatedPackets == 0 ? .plain : .warning, to: text)
    }

    private var unmatchedLine: String {
        let reasons = frame.unmatchedPerSecond.map { "\($0.word) \(HumanUnits.rate($0.perSecond))" }
        // The notice is about requests that come to no Gateway.
        let notice = frame.unmatchedPerSecond.contains { $0.reason == .noListener } ? frame.notice : nil
        let kind = reasons.isEmpty ? "" : (frame.unmatchedMost ?? notice).map { ": \($0)" } ?? ""
        let text = reasons.isEmpty ? "nothing" : reasons.joined(separator: ", ") + kind + served
        let line = "No route took  \(text)".withVisibleControls.cut(to: style.width ?? .max)
        return style.apply(reasons.isEmpty ? .dim : served.isEmpty ? .plain : .warning, to: line)
    }

    /// What says that the table is not the gateway's, while it is more than one in twenty of the requests without a route.
    private var served: String {
        let unmatched = frame.unmatchedPerSecond.reduce(0) { $0 + ($1.reason.isMistaken ? $1.perSecond : 0) }
        guard Double(frame.unmatchedServed) > 0.05 * unmatched * frame.windowSeconds else { return "" }
        let count = HumanUnits.count(frame.unmatchedServed)
        return "; \(count) were answered 2xx: the gateway has routes that these objects lack"
    }
}
