// Wingmirror · Apache-2.0

internal import AnswerComparison
import JSONSyntax
import ShadowTesting
import TrafficPipeline

extension Mirroring {
    /// What `/api/v1/mirror` shows; `nil` where nothing was ever mirrored.
    var document: JSONValue? {
        let figures = queue.figures(now: WallClock.now())
        guard isActive || !figures.lanes.isEmpty else { return nil }
        let reasons = figures.pauseReasons.map(\.rawValue).sorted()
        return [
            "paused": .bool(!reasons.isEmpty),
            "pauseReason": reasons.isEmpty ? .null : .string(reasons.joined(separator: ", ")),
            "heldBytes": JSONValue(figures.heldOctets),
            "budgetBytes": JSONValue(figures.budgetOctets),
            "markedRequests": JSONValue(arrivals.count),
            "warnings": JSONValue(warnings),
            "lanes": .array(figures.lanes.map(\.document)),
            "targets": .array(figures.targets.map(\.document)),
            "verdicts": .array(judge.verdicts.map(\.document)),
        ]
    }
}

extension LaneFigures {
    fileprivate var document: JSONValue {
        [
            "policy": .string(lane.policy),
            "target": .string(lane.target),
            "baseline": .bool(isBaseline),
            "active": .bool(isActive),
            "considered": JSONValue(considered),
            "filtered": Self.counts(filtered.map { ($0.key.rawValue, $0.value) }),
            "notSampled": JSONValue(notSampled),
            "dropped": Self.counts(dropped.map { ($0.key.rawValue, $0.value) }),
            "queued": JSONValue(queued),
            "sent": JSONValue(sent),
            "answered": JSONValue(answered),
            "failed": Self.counts(failed.map { ($0.key.rawValue, $0.value) }),
            "inFlight": JSONValue(inFlight),
            "repeats": JSONValue(repeatsAnswered),
            "redactedValues": JSONValue(redactedValues),
            "configuredRatio": .double(configuredRatio),
            "samplingRatio": .double(samplingRatio),
        ]
    }

    private static func counts(_ counts: [(String, UInt64)]) -> JSONValue {
        JSONValue(Dictionary(counts.filter { $0.1 > 0 }.map { ($0.0, JSONValue($0.1)) }) { $1 })
    }
}

extension TargetFigures {
    fileprivate var document: JSONValue {
        [
            "target": .string(name),
            "active": .bool(isActive),
            "reach": .string(reachText),
            "breakerOpen": .bool(breakerIsOpen),
            "breakerOpenings": JSONValue(breakerOpenings),
            "queueCapacity": JSONValue(queueCapacity),
            "queuedBytes": JSONValue(queuedOctets),
            "sentBytes": JSONValue(sentOctets),
            "rampShare": .double(rampShare),
            "backOffShare": .double(backOffShare),
        ]
    }

    /// Where the target is, or why nothing is sent there.
    private var reachText: String {
        switch reach {
        case .unknown: "not looked up yet"
        case .allowed(let address): address
        case .unresolved(let why), .refused(let why): why
        }
    }
}
