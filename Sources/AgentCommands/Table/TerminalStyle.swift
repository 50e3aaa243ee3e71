// Wingmirror · Apache-2.0

import Agent

/// How much a piece of text stands out on a terminal.
enum TextEmphasis: String, Sendable {
    /// As it is.
    case plain = ""
    /// Titles.
    case bold = "1"
    /// What matters least.
    case dim = "2"
    /// What needs a look.
    case warning = "33"
    /// What is wrong.
    case alarm = "31"
    /// What is as it should be.
    case good = "32"
    /// What is chosen.
    case selected = "7"
}

/// Whether text may carry colour, and how wide a line may be.
struct TerminalStyle: Sendable, Equatable {
    /// Whether escape sequences are written.
    var isColoured = false
    /// The most columns of a line; `nil` when nobody folds it.
    var width: Int?

    /// No colour and no width: what a file or a pipe gets.
    static let plain = TerminalStyle()

    /// The text, emphasised if that is wanted here.
    func apply(_ emphasis: TextEmphasis, to text: String) -> String {
        guard isColoured, emphasis != .plain, !text.isEmpty else { return text }
        return "\u{1B}[\(emphasis.rawValue)m\(text)\u{1B}[0m"
    }
}

extension Terminal {
    /// Colour and width for output to the descriptor: colour only on a terminal, and not when NO_COLOR is set.
    static func style(_ descriptor: Int32) -> TerminalStyle {
        guard isTerminal(descriptor) else { return .plain }
        let isColoured = environment("NO_COLOR") == nil && environment("TERM") != "dumb"
        return TerminalStyle(isColoured: isColoured, width: width(descriptor))
    }
}
