// Wingmirror · Apache-2.0

import Agent
import AnswerComparison
import JSONSyntax

/// One thing that the doctor looked at.
struct Finding: Sendable, Equatable {
    /// How it is.
    enum Verdict: String, Sendable {
        case ok
        case warn
        case fail
    }

    /// How it is.
    var verdict: Verdict
    /// What was looked at.
    var subject: String
    /// What was found.
    var detail: String
    /// What helps, when something is to be done.
    var remedy: String?
}

extension Finding {
    /// The finding as JSON.
    var document: JSONValue {
        [
            "verdict": .string(verdict.rawValue), "subject": .string(subject), "detail": .string(detail),
            "remedy": remedy.map { .string($0) } ?? .null,
        ]
    }
}

extension Finding.Verdict {
    fileprivate var emphasis: TextEmphasis {
        switch self {
        case .ok: .good
        case .warn: .warning
        case .fail: .alarm
        }
    }
}

extension [Finding] {
    /// The findings as lines: verdict, subject and detail, with the remedy below.
    func lines(_ style: TerminalStyle) -> [String] {
        let width = map(\.subject.count).max() ?? 0
        var lines: [String] = []
        for finding in self {
            let verdict = style.apply(finding.verdict.emphasis, to: finding.verdict.rawValue)
            let gap = String(repeating: " ", count: 6 - finding.verdict.rawValue.count)
            lines.append("\(verdict)\(gap)\(finding.subject.padded(to: width))  \(finding.detail)")
            if let remedy = finding.remedy {
                lines.append(String(repeating: " ", count: width + 8) + style.apply(.dim, to: "→ \(remedy)"))
            }
        }
        return lines
    }
}
