// Wingmirror · Apache-2.0

/// A status, or a class of them, that somebody wants to see requests with.
package enum WantedStatus: Sendable, Equatable {
    /// One.
    case exact(Int)
    /// Those of a class, by their first digit.
    case digit(Int)
    /// No response.
    case none
    /// A response that was not seen.
    case unknown

    /// Reads `404`, `4xx`, `none` or `unknown`; `nil` for anything else.
    package init?(_ text: String) {
        if text == "none" {
            self = .none
        } else if text == "unknown" {
            self = .unknown
        } else if text.count == 3, text.hasSuffix("xx"), let digit = text.first?.wholeNumberValue,
            (1...5).contains(digit)
        {
            self = .digit(digit)
        } else if let status = Int(text), (100...599).contains(status) {
            self = .exact(status)
        } else {
            return nil
        }
    }

    /// Whether the status of a response, 0 without one, is among them; `isSeen` says whether that is known.
    func contains(_ status: Int, isSeen: Bool) -> Bool {
        switch self {
        case .exact(let wanted): status == wanted
        case .digit(let digit): status / 100 == digit
        case .none: status == 0 && isSeen
        case .unknown: !isSeen
        }
    }
}
