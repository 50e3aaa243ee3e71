// Wingmirror · Apache-2.0

/// The values of the label `grpc_response_status`: the numbers that gRPC defines, and `_OTHER`.
struct GRPCStatusLabel: Sendable, Hashable, CaseIterable {
    /// 0 to 16, or 17 for any other.
    let index: Int

    static let allCases = (0...17).map { GRPCStatusLabel(status: $0) }

    /// The label of a status as `grpc-status` has it.
    init(status: Int) {
        index = 0...16 ~= status ? status : 17
    }

    /// The label's value.
    var text: String {
        index == 17 ? "_OTHER" : String(index)
    }
}
