// Wingmirror · Apache-2.0

internal import TrafficModel

/// How the answers to one request differ, as far as the answers alone tell.
struct PairComparison {
    /// The differences of two answers from a third, which are as likely at one as at the other if the target is no different.
    struct Reading {
        /// What is asked of them.
        let question: Question
        /// The differences on the candidate's side.
        let candidate: [AnswerDifference]
        /// Those of what it is held against.
        let reference: [AnswerDifference]
    }

    /// All differences of the candidate from production.
    let differences: [AnswerDifference]
    /// Those that count for the pair as a whole; set by the record, which knows the volatile places.
    var counted: [AnswerDifference] = []
    /// What the differences are held against, one for each design that the answers allow; none where an answer is an error,
    /// which is judged by its direction.
    let readings: [Reading]
    /// Comparisons of answers of one version.
    let noise: [ComparedAnswers]
    /// Those of them that are not of the candidate's answers.
    let noiseOfOthers: [ComparedAnswers]
    /// The comparison of two of production's own answers.
    let productionNoise: ComparedAnswers?
    /// Whether only the candidate fails (1), only the other side (−1), or both or neither (0).
    let errors: Int64
    /// What candidate and baseline say where both differ from production; `nil` where they do not, or without a baseline.
    let shared: SharedDifferences?
    /// Places of some at which production says something, and not both others something else; none where one of them failed.
    let elsewhere: [AnswerPlace]
    /// Whether the target turned away what production answered to the credentials that copies lack, or redirected or refused it
    /// in any way, as a baseline did too.
    let isRefused: Bool
    /// Whether the baseline failed where production answered.
    let stagingFails: Bool
    /// Whether production answered with an error and the candidate did not.
    let isRepair: Bool
    /// Whether candidate or baseline asked for fewer requests, and production did not: such a pair is judged for errors only.
    let isThrottled: Bool
    /// Whether content could not be read.
    let contentIsUnread: Bool
    /// Whether content was compared only as far as it was kept.
    let contentIsCut: Bool

    init(
        _ pair: ComparedPair,
        repeatOfProduction: RecordedResponse?,
        comparator: AnswerComparator,
        unordered: Set<String>,
        watched: [AnswerPlace] = []
    ) {
        let authority = pair.production.request.authority
        var answers = Answers(
            comparator: comparator,
            authority: authority,
            asked: AskedFor(pair.production.request),
            unordered: unordered
        )
        let time = pair.production.startTime
        let production = answers.add(pair.production.response.map { .success($0) }, seenAt: time)
        let candidate = answers.add(pair.candidate.result, seenAt: pair.time)
        let repeated = answers.add(pair.repeated.flatMap(\.answered), seenAt: pair.time)
        let baseline = answers.add(pair.baseline?.result, seenAt: pair.time)
        let earlier = answers.add(repeatOfProduction.map { .success($0) }, seenAt: time)

        let comparison = answers.compare(production, candidate)
        let differences = comparison?.differences ?? []
        self.differences = differences
        contentIsUnread = comparison?.contentIsUnread ?? false
        contentIsCut = comparison?.contentIsCut ?? false
        let againstBaseline = answers.compare(production, baseline)
        let againstRepeat = answers.compare(candidate, repeated)
        let againstEarlier = answers.compare(production, earlier)
        productionNoise = againstEarlier
        noise = [againstBaseline, againstRepeat, againstEarlier].compactMap(\.self)
        noiseOfOthers = [againstBaseline, againstEarlier].compactMap(\.self)

        let isHeldBack = !answers.isOverload(production) && [candidate, baseline].contains(where: answers.isOverload)
        isThrottled = isHeldBack
        let failures = isHeldBack || [production, candidate].contains(where: answers.isError)
        // A baseline knows of staging's own data, of which repeats know nothing, so that beside it nothing else is asked.
        let references: [(Question, Int, ComparedAnswers?)] =
            pair.baseline != nil
            ? [(.baseline, baseline, againstBaseline)]
            : [(.repeats, repeated, againstRepeat), (.naturalRepeats, earlier, againstEarlier)]
        readings = failures ? [] : answers.readings(of: differences, beside: production, references)
        errors =
            pair.baseline == nil
            ? answers.failing(candidate, beside: production, countingOverload: false)
            : answers.failing(candidate, beside: baseline, countingOverload: true)
        isRepair = answers.isError(production) && !answers.isError(candidate)
        isRefused = Self.isRefused(pair)
        stagingFails = pair.baseline != nil && answers.isError(baseline) && !answers.isError(production)
        let isHeld = !failures && !answers.isError(baseline)
        let bothDiffer = [differences, againstBaseline?.differences ?? []].allSatisfy { $0.contains { !$0.isExpected } }
        shared = isHeld && bothDiffer ? answers.shared(baseline, candidate, differences, againstBaseline) : nil
        elsewhere = isHeld ? answers.places(watched, unlessIn: comparison, and: againstBaseline) : []
    }

    private static func isRefused(_ pair: ComparedPair) -> Bool {
        guard let production = pair.production.response, let candidate = pair.candidate.response else { return false }
        guard let baseline = pair.baseline else {
            return pair.lostCredentials && candidate.turnsAway && !candidate.hasStatus(of: production)
        }
        guard let baseline = baseline.response else { return false }
        return [candidate, baseline].allSatisfy { answer in
            guard !answer.asksForLess, !answer.hasStatus(of: production) else { return false }
            return answer.turnsAway || production.succeeds && !answer.succeeds && answer.status < 500
        }
    }

    /// The differences that make the pair an example, the clearest first: the candidate's own, and those at places at which it is
    /// worse than what it is held against though that differs there too.
    func clearDifferences(worseAt isWorse: (AnswerPlace) -> Bool) -> [AnswerDifference] {
        let shared = Set((readings.first { $0.question == .baseline }?.reference ?? []).map(\.place))
        let own = counted.filter { !shared.contains($0.place) }
        let places = Set(own.map(\.place))
        let others = differences.filter { !places.contains($0.place) && isWorse($0.place) }
        return (own + others).sorted { $0.kind.clarity < $1.kind.clarity }
    }

    /// The comparison in one word.
    var word: ComparisonWord {
        if counted.isEmpty {
            if contentIsUnread { return .unread }
            if contentIsCut { return .cut }
            return differences.allSatisfy(\.isExpected) ? .same : .noise
        }
        var word = ComparisonWord.headersDiffer
        for difference in counted {
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
    private let asked: AskedFor
    private let unordered: Set<String>
    private var answers: [Result<PreparedAnswer, ShadowFailure>?] = []

    init(comparator: AnswerComparator, authority: String?, asked: AskedFor, unordered: Set<String>) {
        self.comparator = comparator
        self.authority = authority
        self.asked = asked
        self.unordered = unordered
    }

    /// Whether production answered a gRPC call; what answers it with anything else has failed.
    private var isCall: Bool {
        if case .success(let answer)? = answers.first ?? nil { answer.isCall } else { false }
    }

    mutating func add(_ result: Result<RecordedResponse, ShadowFailure>?, seenAt: Int64) -> Int {
        answers.append(result?.map { comparator.prepared($0, seenAt: seenAt) })
        return answers.count - 1
    }

    /// Whether an answer is an error: a status of the class 5xx, a gRPC call that failed, or none at all.
    func isError(_ position: Int) -> Bool {
        switch answers[position] {
        case nil: false
        case .failure: true
        case .success(let answer): answer.isFailure || isCall && !answer.isCall
        }
    }

    /// Whether an answer asks for fewer requests.
    func isOverload(_ position: Int) -> Bool {
        if case .success(let answer) = answers[position] { answer.asksForLess } else { false }
    }

    /// Whether only one answer fails (1), only another (−1), or both or neither (0).
    func failing(_ position: Int, beside other: Int, countingOverload: Bool) -> Int64 {
        let fails = [position, other].map { isError($0) || countingOverload && isOverload($0) }
        return fails[0] == fails[1] ? 0 : fails[0] ? 1 : -1
    }

    /// How the redirects of two answers compare, identifiers in their paths and what their parameters say set aside: 0 when they lead to one place, or there
    /// are none, and otherwise 1 or −1.
    func redirection(_ first: Int, _ second: Int) -> Int64 {
        guard let ours = redirect(first), let theirs = redirect(second), ours != theirs else { return 0 }
        return ours.lexicographicallyPrecedes(theirs) ? 1 : -1
    }

    private func redirect(_ position: Int) -> [String]? {
        guard case .success(let answer)? = answers[position], let location = answer.fields["location"]?.first else {
            return nil
        }
        let link = comparator.hosts.adding(authority).relative(location).prefix { $0 != UInt8(ascii: "#") }
        let path = link.prefix { $0 != UInt8(ascii: "?") }
        let segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { segment in
            let isName = segment.isEmpty || FormatClass(segment) == .text && !segment.contains { 0x30...0x39 ~= $0 }
            return isName ? String(decoding: segment, as: UTF8.self) : "*"
        }
        let parameters = link[path.endIndex...].dropFirst().split(separator: UInt8(ascii: "&")).map { parameter in
            "?" + String(decoding: parameter.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
        }
        return segments + Set(parameters).sorted()
    }

    /// What candidate and baseline say where both differ from production.
    mutating func shared(
        _ baseline: Int,
        _ candidate: Int,
        _ differences: [AnswerDifference],
        _ others: ComparedAnswers?
    ) -> SharedDifferences? {
        compare(baseline, candidate).map { direct in
            SharedDifferences(
                candidate: differences,
                baseline: others?.differences ?? [],
                direct: direct.differences,
                redirection: redirection(baseline, candidate)
            )
        }
    }

    /// Those of some places at which production, the first of the answers, says something, and at which it does not differ in both
    /// of two comparisons; none where either answer has another status.
    mutating func places(
        _ watched: [AnswerPlace],
        unlessIn first: ComparedAnswers?,
        and second: ComparedAnswers?
    ) -> [AnswerPlace] {
        guard !watched.isEmpty, let first, let second, case .success(var production)? = answers[0] else { return [] }
        let (ours, theirs) = (Set(first.differences.map(\.place)), Set(second.differences.map(\.place)))
        guard !ours.contains(.status), !theirs.contains(.status) else { return [] }
        let both = ours.intersection(theirs)
        let held = watched.filter { !both.contains($0) && production.holds($0) }
        answers[0] = .success(production)
        return held
    }

    /// What a candidate's differences can be held against, of some references and how they differ themselves.
    ///
    /// An error says nothing of how answers differ, and a second answer of 429 as little as a first one.
    func readings(
        of differences: [AnswerDifference],
        beside production: Int,
        _ references: [(question: Question, position: Int, comparison: ComparedAnswers?)]
    ) -> [PairComparison.Reading] {
        references.compactMap { question, position, comparison in
            let isThrottled = isOverload(position) && !isOverload(production)
            guard let comparison, !isThrottled, !isError(position) else { return nil }
            return PairComparison.Reading(
                question: question,
                candidate: differences,
                reference: comparison.differences
            )
        }
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
            let comparison = comparator.compare(
                &ours,
                &theirs,
                authority: authority,
                asked: asked,
                unordered: unordered
            )
            answers[first] = .success(ours)
            answers[second] = .success(theirs)
            return comparison
        }
    }
}

extension RecordedResponse {
    /// Whether it has the status of another answer, of a gRPC call the final one.
    fileprivate func hasStatus(of other: RecordedResponse) -> Bool {
        status == other.status && !(message.isCall && grpcStatus != other.grpcStatus)
    }

    /// Whether the request was done: a status of the class 2xx, of a gRPC call OK.
    fileprivate var succeeds: Bool {
        200..<300 ~= status && (!message.isCall || grpcStatus == 0)
    }
}

extension ShadowAnswer {
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
    /// Makes an example of a pair, with the differences that it is one of.
    init(_ differences: [AnswerDifference], pair: ComparedPair, curl: String, limit: Int) {
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
            differences: Array(differences.prefix(8)),
            curl: curl.utf8.count <= limit ? curl : String(decoding: curl.utf8.prefix(limit), as: UTF8.self) + "…"
        )
    }
}
