// Wingmirror · Apache-2.0

/// The labels that series of routes have beside those of the route; all from closed lists, so made once and kept.
struct OwnLabelBlocks: Sendable {
    private var requests: [RequestCombination: LabelBlock] = [:]
    let codeClasses: [LabelBlock]
    /// By ``CodeFamily`` and index.
    private let codes: [[LabelBlock]]
    /// By ``RouteCounter``.
    private let counters: [LabelBlock]

    init() {
        codeClasses = ResponseCodeClass.allCases.map {
            LabelBlock(names: ["response_code_class"], values: [$0.text])
        }
        codes = CodeFamily.allCases.map { family in
            family.labelValues.map { LabelBlock(names: [family.labelName], values: [$0]) }
        }
        counters = RouteCounter.allCases.map {
            let names = $0.limited.family.labelNames.dropFirst(MetricCatalogue.routeLabels.count)
            return LabelBlock(names: names, values: $0.labelValues)
        }
    }

    func block(of counter: CodeCounter) -> LabelBlock {
        codes[counter.family.rawValue][counter.index]
    }

    func block(of counter: RouteCounter) -> LabelBlock {
        counters[counter.rawValue]
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
