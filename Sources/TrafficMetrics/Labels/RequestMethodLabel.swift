// Wingmirror · Apache-2.0
// The known methods of the OpenTelemetry semantic conventions, `http.request.method`.

/// The values of the label `request_method`: the methods known to everyone, and one for the rest.
///
/// A client chooses the method, so the list is closed: a flood of invented methods adds one series a route.
public enum RequestMethodLabel: UInt8, Sendable, Hashable, CaseIterable {
    case connect
    case delete
    case get
    case head
    case options
    case patch
    case post
    case put
    case query
    case trace
    case other
    /// Stands for all methods at the series limit.
    case any

    /// Tells the method from its octets as sent; methods are case-sensitive (RFC 9110 §9.1).
    ///
    /// No known method has more than seven octets, so a method is compared as one number.
    public init(_ method: Span<UInt8>) {
        guard method.count <= 7 else {
            self = .other
            return
        }
        // The leading one keeps octets of zero from being taken for none.
        var spelling: UInt64 = 1
        for index in method.indices {
            spelling = spelling << 8 | UInt64(method[index])
        }
        switch spelling {
        case 0x143_4F4E_4E45_4354: self = .connect
        case 0x1_4445_4C45_5445: self = .delete
        case 0x147_4554: self = .get
        case 0x1_4845_4144: self = .head
        case 0x14F_5054_494F_4E53: self = .options
        case 0x150_4154_4348: self = .patch
        case 0x1_504F_5354: self = .post
        case 0x150_5554: self = .put
        case 0x151_5545_5259: self = .query
        case 0x154_5241_4345: self = .trace
        default: self = .other
        }
    }

    /// The label's value.
    public var text: String {
        switch self {
        case .connect: "CONNECT"
        case .delete: "DELETE"
        case .get: "GET"
        case .head: "HEAD"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .post: "POST"
        case .put: "PUT"
        case .query: "QUERY"
        case .trace: "TRACE"
        case .other: "_OTHER"
        case .any: LabelValue.overflow
        }
    }
}
