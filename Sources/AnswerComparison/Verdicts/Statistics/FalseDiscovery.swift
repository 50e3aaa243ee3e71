// Wingmirror · Apache-2.0
// Benjamini and Hochberg, 1995; Wang and Ramdas, "False discovery rate control with e-values", 2022.

/// Which of many places may be called worse, with the expected share of wrong ones among them bounded.
enum FalseDiscovery {
    /// The positions of p-values that the procedure of Benjamini and Hochberg rejects.
    static func rejected(pValues: [Double], level: Double) -> Set<Int> {
        let count = Double(pValues.count)
        return rejected(pValues.indices.sorted { pValues[$0] < pValues[$1] }) { position, rank in
            pValues[position] <= level * rank / count
        }
    }

    /// The positions of evidence, by its logarithm, that the e-BH procedure rejects.
    ///
    /// Holds whatever the dependence between places, and at any time when the evidence does and `hypotheses`, the places that
    /// there may be, is fixed beforehand.
    static func rejected(logEvidence: [Double], hypotheses: Int, level: Double) -> Set<Int> {
        let logBase = (Double(hypotheses) / level).logarithm
        return rejected(logEvidence.indices.sorted { logEvidence[$0] > logEvidence[$1] }) { position, rank in
            logEvidence[position] >= logBase - rank.logarithm
        }
    }

    /// A step-up procedure: everything up to the last rank that meets its own bound.
    private static func rejected(_ order: [Int], meets: (_ position: Int, _ rank: Double) -> Bool) -> Set<Int> {
        let last = order.indices.last { meets(order[$0], Double($0 + 1)) }
        return last.map { Set(order[...$0]) } ?? []
    }
}
