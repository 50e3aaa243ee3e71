// Wingmirror · Apache-2.0

/// The labels that series of routes have beside those of the route; all from closed lists, so made once and kept.
struct OwnLabelBlocks: Sendable {
    private var requests: [RequestCombination: LabelBlock] = [:]
    let codeClasses: [LabelBlock]
    let gRPCStatuses: [LabelBlock]

    init() {
        codeClasses = ResponseCodeClass.allCases.map {
            LabelBlock(names: ["response_code_class"], values: [$0.text])
        }
        gRPCStatuses = GRPCStatusLabel.allCases.map {
            LabelBlock(names: ["grpc_response_status"], values: [$0.text])
        }
    }

    mutating func block(of combination: RequestCombination) -> LabelBlock {
        if let block = requests[combination] { return block }
        let block = LabelBlock(
            names: MetricCatalogue.httpRequests.labelNames.dropFirst(MetricCatalogue.routeLabels.count),
            values: combination.labelValues
        )
        requests[combination] = block
        return block
    }
}
