// Wingmirror · Apache-2.0

import JSONSyntax
import OctetText

/// Looks at how far the clocks of interfaces are apart that see the two directions of connections.
///
/// Handshakes tell, and only who captures them sees any: so it is for the running agent to say (``AgentExamination``).
enum ClockExamination {
    /// From here on durations across two interfaces are visibly wrong, in seconds.
    private static let noticeableSeconds = 0.001

    /// What the status of an agent says of clocks.
    static func findings(_ status: JSONValue) -> [Finding] {
        (status["clockOffsets"]?.arrayValue ?? []).compactMap(finding)
    }

    private static func finding(_ offset: JSONValue) -> Finding? {
        guard let interface = offset["interface"]?.stringValue, let reference = offset["reference"]?.stringValue,
            let seconds = offset["seconds"]?.numberValue, let tolerance = offset["toleranceSeconds"]?.numberValue,
            let handshakes = offset["handshakes"]?.numberValue
        else { return nil }
        let basis = "give or take \(HumanUnits.seconds(tolerance)), by \(Int(clamped: handshakes)) handshakes"
        let subject = "clocks of \(reference), \(interface)"
        guard offset["differs"]?.boolValue == true, abs(seconds) >= noticeableSeconds else {
            let detail = "\(HumanUnits.seconds(abs(seconds))) apart, \(basis)"
            return Finding(verdict: .ok, subject: subject, detail: detail)
        }
        let difference = "\(HumanUnits.seconds(abs(seconds))) \(seconds > 0 ? "ahead" : "behind")"
        return Finding(
            verdict: .warn,
            subject: subject,
            detail: "\(interface) is \(difference), \(basis); durations across them are wrong by as much",
            remedy: "have both interfaces stamped by one clock: `ethtool -T`, PTP (phc2sys)"
        )
    }
}
