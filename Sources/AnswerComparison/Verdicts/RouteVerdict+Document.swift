// Wingmirror · Apache-2.0

public import JSONSyntax
internal import OctetText
internal import TrafficModel

extension RouteVerdict {
    /// The verdict as a document, with every number behind it.
    public var document: JSONValue {
        [
            "policy": .string(lane.policy),
            "target": .string(lane.target),
            "virtualServiceNamespace": .string(route.virtualServiceNamespace),
            "virtualService": .string(route.virtualService),
            "route": .string(route.route),
            "verdict": .string(verdict.rawValue),
            "reason": .string(reason.rawValue),
            "design": .string(design.rawValue),
            "explanation": .string(explanation),
            "since": JSONValue.instant(since),
            "until": JSONValue.instant(until),
            "lasting": lasting?.document ?? .null,
            "recent": recent?.document ?? .null,
            "remedy": .string(remedy),
            "pairsNeeded": pairsNeeded.map { JSONValue($0) } ?? .null,
            "sampled": JSONValue(sampled),
            "pairs": JSONValue(pairs),
            "coverage": .double(coverage),
            "comparisons": JSONValue.counts(comparisons),
            "missed": JSONValue.counts(missed),
            "votes": .double(votes),
            "worse": .double(worse),
            "better": .double(better),
            "worsePairs": JSONValue(worsePairs),
            "betterPairs": JSONValue(betterPairs),
            "errors": errors.document,
            "designs": .array(designs.map(\.document)),
            "excess": ["ratio": .double(excess), "lower": .double(excessLower), "upper": .double(excessUpper)],
            "margin": .double(margin),
            "errorMargin": .double(errorMargin),
            "significance": .double(significance),
            "logEvidence": .double(logEvidence),
            "fixedLook": ["midP": .double(fixedLook.midP), "fails": .bool(fixedLook.fails)],
            "noise": ["pairs": JSONValue(noisePairs), "floor": noiseFloor.map(JSONValue.double) ?? .null],
            "unadjusted": ["pairs": JSONValue(mismatchPairs), "mismatches": JSONValue(mismatches)],
            "shared": JSONValue(shared.map(\.text)),
            "sharedShapes": JSONValue(sharedShapes.map(\.text)),
            "unread": JSONValue(unread),
            "cut": JSONValue(cut),
            "lostCredentials": JSONValue(ambiguous),
            "askedApart": JSONValue(apart),
            "delayed": JSONValue(delayed),
            "breaker": [
                "openings": JSONValue(breaker.candidate), "open": .bool(breaker.isOpen),
                "baselineOpenings": design == .baseline ? JSONValue(breaker.baseline) : .null,
            ],
            "overflowed": JSONValue(overflowed),
            "latency": latency?.document ?? .null,
            "places": .array(places.map(\.document)),
            "lags": .array(lags.map(\.document)),
            "examples": .array(examples.map(\.document)),
        ]
    }
}

extension PlaceVerdict {
    /// The place as a document.
    var document: JSONValue {
        [
            "place": .string(place.text),
            "fails": .bool(fails),
            "kinds": JSONValue(kinds.map(\.rawValue)),
            "worse": JSONValue(worse),
            "better": JSONValue(better),
            "mismatches": JSONValue(mismatches),
            "repeats": JSONValue(repeats),
            "logEvidence": .double(logEvidence),
            "midP": .double(midP),
            "failsFixedLook": .bool(failsFixedLook),
            "volatile": .bool(isVolatile),
        ]
    }
}

extension LatencyVerdict {
    /// The latency as a document.
    var document: JSONValue {
        [
            "classification": .string(classification.rawValue),
            "pairs": JSONValue(pairs),
            "slower": JSONValue(slower),
            "ratio": .double(ratio),
            "ratioLower": .double(ratioLower),
            "ratioUpper": .double(ratioUpper),
            "logEvidence": .double(logEvidence),
            "waitSeconds": .double(waitSeconds),
            "tail": [
                "boundSeconds": tail.boundSeconds.map(JSONValue.double) ?? .null,
                "candidateShare": .double(tail.candidateShare),
                "baselineShare": .double(tail.baselineShare),
                "logEvidence": .double(tail.logEvidence),
                "higher": .bool(tail.isHigher),
            ],
        ]
    }
}

extension ErrorCount {
    /// The count as a document.
    var document: JSONValue {
        [
            "pairs": JSONValue(pairs),
            "worse": JSONValue(worse),
            "better": JSONValue(better),
            "votes": .double(votes),
            "excess": ["ratio": .double(excess), "lower": .double(excessLower), "upper": .double(excessUpper)],
            "logEvidence": .double(logEvidence),
        ]
    }
}

extension DesignCount {
    /// The count as a document.
    var document: JSONValue {
        [
            "design": .string(design.rawValue),
            "pairs": JSONValue(pairs),
            "votes": .double(votes),
            "worse": JSONValue(worse),
            "better": JSONValue(better),
        ]
    }
}

extension LastingFinding {
    /// The finding as a document.
    var document: JSONValue {
        ["time": JSONValue.instant(time), "lastSeen": lastSeen.map { JSONValue.instant($0) } ?? .null]
    }
}

extension RecentVerdict {
    /// The verdict as a document.
    var document: JSONValue {
        [
            "since": JSONValue.instant(since),
            "verdict": .string(verdict.rawValue),
            "reason": .string(reason.rawValue),
            "pairs": JSONValue(pairs),
            "errorsWorse": JSONValue(errorsWorse),
            "worse": JSONValue(worse),
            "better": JSONValue(better),
        ]
    }
}

extension LagShare {
    /// The share as a document.
    var document: JSONValue {
        [
            "upperSeconds": upperSeconds.map(JSONValue.double) ?? .null,
            "pairs": JSONValue(pairs),
            "mismatches": JSONValue(mismatches),
        ]
    }
}

extension AnswerExample {
    /// The example as a document.
    var document: JSONValue {
        [
            "time": JSONValue.instant(time),
            "method": .string(method),
            "productionStatus": JSONValue(productionStatus),
            "candidate": .string(candidateOutcome),
            "differences": .array(
                differences.map { difference in
                    [
                        "place": .string(difference.place.text),
                        "kind": .string(difference.kind.rawValue),
                        "production": .string(difference.production),
                        "candidate": .string(difference.candidate),
                    ]
                }
            ),
            "curl": .string(curl),
        ]
    }
}

extension JSONValue {
    /// A time as RFC 3339 writes it; `null` for 0, which stands for none.
    fileprivate static func instant(_ nanoseconds: Int64) -> JSONValue {
        nanoseconds == 0 ? .null : .string(InternetTime.text(nanoseconds: nanoseconds))
    }

    /// Counts by the word of each case, in alphabetical order.
    fileprivate static func counts<Word: RawRepresentable & Hashable>(_ counts: [Word: UInt64]) -> JSONValue
    where Word.RawValue == String {
        JSONValue(Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, JSONValue($0.value)) }))
    }
}
