// Wingmirror · Apache-2.0

/// The values of the label `response_code`: `0` without a response, `100` to `599`, and `_OTHER`.
struct ResponseCodeLabel: Sendable, Hashable {
    /// 0, 100 to 599, or `other`.
    let rawValue: UInt16

    /// Stands for every status that HTTP does not define a class for.
    static let other = ResponseCodeLabel(rawValue: 600)

    private init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The label of a status; 0 when no response was seen.
    init(status: Int) {
        switch status {
        case 0, 100...599: self.init(rawValue: UInt16(status))
        default: self = .other
        }
    }

    /// The label's value.
    var text: String {
        self == .other ? "_OTHER" : String(rawValue)
    }
}

/// The values of the label `response_code_class`: the first digit of the status, or `none`.
public enum ResponseCodeClass: UInt8, Sendable, Hashable, CaseIterable {
    case informational
    case success
    case redirection
    case clientError
    case serverError
    case none

    /// The class of a status; `none` for 0 and for what is no status.
    public init(status: Int) {
        switch status {
        case 100...199: self = .informational
        case 200...299: self = .success
        case 300...399: self = .redirection
        case 400...499: self = .clientError
        case 500...599: self = .serverError
        default: self = .none
        }
    }

    /// The label's value.
    public var text: String {
        switch self {
        case .informational: "1xx"
        case .success: "2xx"
        case .redirection: "3xx"
        case .clientError: "4xx"
        case .serverError: "5xx"
        case .none: "none"
        }
    }
}
