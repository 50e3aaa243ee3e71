// Wingmirror · Apache-2.0

/// The values of the label `response_code`: `0` without a response, `100` to `599`, `_OTHER`, `unknown` where the observer
/// does not know whether or how the request was answered, and a class such as `5xx` at the series limit.
struct ResponseCodeLabel: Sendable, Hashable {
    /// 0, 100 to 599, or what stands for several.
    let rawValue: UInt16

    /// Stands for every status that HTTP does not define a class for.
    static let other = ResponseCodeLabel(rawValue: 600)
    /// The answer was not seen, and that is the observer's fault.
    static let unknown = ResponseCodeLabel(rawValue: 601)
    /// Stands for all codes whose exchanges were broken off in the same way.
    static let any = ResponseCodeLabel(rawValue: 602)

    /// Stands for all codes of a class.
    private static let firstClass: UInt16 = 610

    private init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The label of a status; 0 when there was no response, below it when that is not known.
    init(status: Int) {
        switch status {
        case 0, 100...599: self.init(rawValue: UInt16(status))
        case ..<0: self = .unknown
        default: self = .other
        }
    }

    /// The label as it was packed.
    init(packed: UInt32) {
        self.init(rawValue: UInt16(packed))
    }

    /// The class that stands for the code at the series limit; codes that are none stay as they are.
    var folded: ResponseCodeLabel {
        100...599 ~= rawValue ? ResponseCodeLabel(rawValue: Self.firstClass + rawValue / 100) : self
    }

    /// The class of the code.
    var codeClass: ResponseCodeClass {
        rawValue > Self.firstClass
            ? ResponseCodeClass(status: Int(rawValue - Self.firstClass) * 100)
            : ResponseCodeClass(status: Int(rawValue))
    }

    /// The label's value.
    var text: String {
        switch self {
        case .other: "_OTHER"
        case .unknown: "unknown"
        case .any: LabelValue.overflow
        default: rawValue > Self.firstClass ? "\(rawValue - Self.firstClass)xx" : String(rawValue)
        }
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
    init(status: Int) {
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
