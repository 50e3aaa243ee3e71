// Wingmirror · Apache-2.0
// Status codes of a WebSocket's close frame, RFC 6455 §7.4.

/// The values of the label `close_code`: the codes that RFC 6455 defines, its two ranges for others, and what has no code.
public struct CloseCodeLabel: Sendable, Hashable, CaseIterable {
    /// 0 to 15 for 1000 to 1015, then `3xxx`, `4xxx`, `none` and `_OTHER`.
    let index: Int

    /// All values.
    public static let allCases = (0..<20).map { CloseCodeLabel(index: $0) }

    private init(index: Int) {
        self.index = index
    }

    /// The label of the code that a close frame has; `nil` where it has none.
    ///
    /// 1005, 1006 and 1015 never stand in a frame (§7.4.1).
    public init(code: UInt16?) {
        index =
            switch code {
            case nil: 18
            case 1005, 1006, 1015: 19
            case .some(let code) where 1000...1015 ~= code: Int(code) - 1000
            case .some(3000...3999): 16
            case .some(4000...4999): 17
            default: 19
            }
    }

    /// The connection ended without a close frame (§7.1.5).
    public static let withoutFrame = CloseCodeLabel(index: 6)

    /// The label's value.
    var text: String {
        switch index {
        case 16: "3xxx"
        case 17: "4xxx"
        case 18: "none"
        case 19: "_OTHER"
        default: String(1000 + index)
        }
    }
}
