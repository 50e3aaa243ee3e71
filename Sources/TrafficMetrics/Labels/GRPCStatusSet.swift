// Wingmirror · Apache-2.0
// Status codes of gRPC: google.rpc.Code, and the semantic conventions of OpenTelemetry for what is an error of a server.

/// Final statuses of gRPC, such as those that count as errors.
public struct GRPCStatusSet: Sendable, Hashable {
    /// Bit n for status n.
    private let bits: UInt32

    /// Makes a set of statuses; a number that gRPC does not define is in no set.
    public init(_ statuses: [Int]) {
        bits = statuses.reduce(0) { 0..<Self.names.count ~= $1 ? $0 | 1 << UInt32($1) : $0 }
    }

    /// The names of all statuses, each at its number.
    public static let names = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]

    /// What counts as an error of a server unless somebody says otherwise: the list of OpenTelemetry's conventions for gRPC.
    ///
    /// All others are answers that a healthy server gives to what it was asked, as 4xx is in HTTP.
    public static let usualErrors = GRPCStatusSet([2, 4, 12, 13, 14, 15])

    /// Whether a status is in the set.
    @inline(__always)
    public func contains(_ status: Int) -> Bool {
        0..<32 ~= status && bits >> UInt32(truncatingIfNeeded: status) & 1 == 1
    }

    /// The statuses of the set in growing order.
    public var statuses: [Int] { Self.names.indices.filter(contains) }
}
