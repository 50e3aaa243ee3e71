// Wingmirror · Apache-2.0

internal import TrafficModel

/// How the answers to one request differ: the candidate's from production's, and those that this is held against.
struct PairComparison {
    /// What the candidate's differences are held against.
    let design: VerdictDesign
    /// All differences of the candidate from production.
    let differences: [AnswerDifference]
    /// Those that count.
    private(set) var candidate: [AnswerDifference] = []
    /// The differences that the candidate's are held against, those that count; empty without a reference.
    private(set) var reference: [AnswerDifference] = []
    /// Comparisons of answers of one version.
    let noise: [ComparedAnswers]
    /// Whether the target turned away what production answered, and a baseline, where there is one, did so too.
    let isRefused: Bool
    /// Whether content could not be read.
    let contentIsUnread: Bool
    private let allReference: [AnswerDifference]

    init(
        _ pair: ComparedPair,
        repeatOfProduction: RecordedResponse?,
        comparator: AnswerComparator,
        unordered: Set<String>
    ) {
        let authority = pair.production.request.authority
        var answers = Answers(comparator: comparator, authority: authority, unordered: unordered)
        let production = answers.add(pair.production.response.map { .success($0) })
        let candidate = answers.add(pair.candidate.result)
        let repeated = answers.add(pair.repeated.flatMap(\.answered))
        let baseline = answers.add(pair.baseline?.result)
        let earlier = answers.add(repeatOfProduction.map { .success($0) })

        let comparison = answers.compare(production, candidate)
        differences = comparison?.differences ?? []
        contentIsUnread = comparison?.contentIsUnread ?? false
        let againstBaseline = answers.compare(production, baseline)
        let againstRepeat = answers.compare(candidate, repeated)
        let againstEarlier = answers.compare(production, earlier)
        noise = [againstBaseline, againstRepeat, againstEarlier].compactMap(\.self)
        let references: [(VerdictDesign, ComparedAnswers?)] = [
            (.baseline, againstBaseline), (.repeats, againstRepeat), (.naturalRepeats, againstEarlier),
        ]
        let reference = references.first { $0.1 != nil }
        design = reference?.0 ?? .unadjusted
        allReference = reference?.1?.differences ?? []

        isRefused = Self.isRefused(pair)
    }

    private static func isRefused(_ pair: ComparedPair) -> Bool {
        guard pair.candidate.turnsAway, pair.candidate.response?.status != pair.production.response?.status else {
            return false
        }
        guard let baseline = pair.baseline else { return true }
        return baseline.turnsAway
    }

    /// Keeps of all differences those that count.
    mutating func keepCounted(_ counted: ([AnswerDifference]) -> [AnswerDifference]) {
        candidate = counted(differences)
        reference = counted(allReference)
    }

    /// The differences that make the pair an example: the candidate's own, the clearest first.
    var clearDifferences: [AnswerDifference] {
        let shared = Set(reference.map(\.place))
        return candidate.filter { !shared.contains($0.place) }.sorted { $0.kind.clarity < $1.kind.clarity }
    }

    /// The comparison in one word.
    var word: ComparisonWord {
        if candidate.isEmpty { return differences.allSatisfy(\.isExpected) ? .same : .noise }
        var word = ComparisonWord.headersDiffer
        for difference in candidate {
            switch difference.place {
            case .outcome, .status: return .statusDiffers
            case .content: word = .bodyDiffers
            case .field, .other, .latency: break
            }
        }
        return word
    }
}

/// Several answers to one request, each prepared once.
private struct Answers {
    private let comparator: AnswerComparator
    private let authority: String?
    private let unordered: Set<String>
    private var answers: [Result<PreparedAnswer, ShadowFailure>?] = []

    init(comparator: AnswerComparator, authority: String?, unordered: Set<String>) {
        self.comparator = comparator
        self.authority = authority
        self.unordered = unordered
    }

    mutating func add(_ result: Result<RecordedResponse, ShadowFailure>?) -> Int {
        answers.append(result?.map(comparator.prepared))
        return answers.count - 1
    }

    /// Compares two of them; `nil` when one was not asked for.
    mutating func compare(_ first: Int, _ second: Int) -> ComparedAnswers? {
        switch (answers[first], answers[second]) {
        case (nil, _), (_, nil): return nil
        case (.failure(let ours), .failure(let theirs)):
            return ours == theirs ? comparator.nothing : comparator.outcome(ours.rawValue, theirs.rawValue)
        case (.failure(let ours), .success(let theirs)):
            return comparator.outcome(ours.rawValue, String(theirs.status))
        case (.success(let ours), .failure(let theirs)):
            return comparator.outcome(String(ours.status), theirs.rawValue)
        case (.success(var ours), .success(var theirs)):
            let comparison = comparator.compare(&ours, &theirs, authority: authority, unordered: unordered)
            // JSON that was parsed for this comparison serves the next.
            answers[first] = .success(ours)
            answers[second] = .success(theirs)
            return comparison
        }
    }
}

extension ShadowAnswer {
    /// Whether the answer says that the request has no business there.
    fileprivate var turnsAway: Bool {
        guard let status = response?.status else { return false }
        return status == 401 || status == 403 || status == 404
    }

    /// The outcome, unless the agent gave the copy up.
    fileprivate var answered: Result<RecordedResponse, ShadowFailure>? {
        if case .failure(.cancelled) = result { nil } else { result }
    }
}

extension DifferenceKind {
    /// A rank by which kinds are shown: the ones that say most first.
    fileprivate var clarity: Int {
        switch self {
        case .outcome: 0
        case .statusClass: 1
        case .status: 2
        case .type: 3
        case .missing: 4
        case .extra: 5
        case .value: 6
        case .order: 7
        case .size: 8
        }
    }
}

extension ComparedPair {
    /// How much later than production's answer the copy was sent, in nanoseconds; 0 when that is not known.
    var lag: Int64 {
        guard candidate.intendedTime > 0 else { return 0 }
        let answered = production.startTime.addingReportingOverflow(production.durationNanoseconds ?? 0)
        let sent = candidate.intendedTime.addingReportingOverflow(candidate.queueNanoseconds)
        guard !answered.overflow, !sent.overflow else { return .max }
        let lag = sent.partialValue.subtractingReportingOverflow(answered.partialValue)
        return lag.overflow ? .max : max(0, lag.partialValue)
    }
}

extension AnswerExample {
    /// Makes an example of a pair.
    init(_ answers: PairComparison, pair: ComparedPair, curl: String, limit: Int) {
        let outcome =
            switch pair.candidate.result {
            case .success(let response): String(response.status)
            case .failure(let failure): failure.rawValue
            }
        self.init(
            time: pair.time,
            method: ValueSketch.printable(Array(pair.production.request.method.utf8), limit: 32),
            productionStatus: pair.production.response?.status ?? 0,
            candidateOutcome: outcome,
            differences: Array(answers.clearDifferences.prefix(8)),
            curl: curl.utf8.count <= limit ? curl : String(decoding: curl.utf8.prefix(limit), as: UTF8.self) + "…"
        )
    }
}
