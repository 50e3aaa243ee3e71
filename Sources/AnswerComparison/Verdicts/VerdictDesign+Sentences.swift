// Wingmirror · Apache-2.0

extension RouteVerdict {
    /// The verdict's reason and design in one sentence, for people.
    public var explanation: String {
        let sentence = "\(reason.sentence); \(design.sentence)"
        guard verdict == .pass, !shared.isEmpty else { return sentence }
        let compared =
            sentence + "; at \(Self.text(shared)) both differ from production, and were compared with each other"
        guard !sharedShapes.isEmpty else { return compared }
        return compared + "; at \(Self.text(sharedShapes)) by shape only, as they mostly differ there too"
    }

    private static func text(_ places: [AnswerPlace]) -> String {
        places.prefix(3).map(\.text).joined(separator: ", ") + (places.count > 3 ? ", …" : "")
    }
}

extension VerdictReason {
    /// The reason for people.
    var sentence: String {
        switch self {
        case .noPairs: "nothing has been compared"
        case .moreNeeded: "more pairs are needed"
        case .withinMargin: "worse by no more than the margin"
        case .beyondMargin: "differs by more than the margin, and noise does not explain it"
        case .errors: "fails where the other side answers, by more than the margin for errors"
        case .lessSteady: "answers vary at the target more than they differ from production"
        case .place: "a single place differs by more than the margin"
        case .latency: "the median answer is slower than the baseline's by more than the margin"
        case .latencyTail: "more answers are slow than at the baseline"
        case .coverage: "too few of the sampled requests were compared"
        case .breaker: "the breaker opened, and copies were held back"
        case .breakerAlone: "the target fails as a whole: its breaker opens again and again, and that of nothing else"
        case .throttled: "the target answered too many copies with 429"
        case .conditional: "production answered to conditions or ranges only"
        case .credentials: "answers differ for requests whose credentials were taken out"
        case .unconfirmed: "values vary at the target, and nothing shows that production's vary too"
        case .noisy: "answers differ too often for a verdict without a baseline"
        case .apart: "values differ where target and baseline were not asked at the same moment, mostly one later"
        case .episode: "what differs happened within a short time"
        case .fewKeys: "what differs comes from few clients"
        case .notComparable: "staging turns away or redirects what production answers (3xx, 4xx)"
        case .stagingFails: "staging itself fails where production answers"
        case .manyPlaces: "answers differ at more places than can be told apart"
        case .masked: "a change may hide where answers differ for another reason"
        case .likeProduction: "differs from production in fewer requests than the margin"
        case .unreadable: "content could not be read, so that it was not compared"
        case .cut: "content was too long to be compared whole"
        case .unadjusted: "answers differ, and nothing says whether that is a change, noise or other data"
        }
    }
}

extension VerdictDesign {
    /// What differences were held against, for people.
    var sentence: String {
        switch self {
        case .unadjusted: "unadjusted: differences are held against nothing"
        case .naturalRepeats: "held against production's own repeats"
        case .repeats: "held against the target's second answers"
        case .baseline: "held against the baseline's answers"
        }
    }
}

extension MissedReason {
    /// What became of the requests, for people; follows their number.
    public var sentence: String {
        switch self {
        case .dropped: "dropped, the queue was full or they waited too long"
        case .cancelled:
            "given up: a pause, the end of the agent, nothing left to send with, or a gRPC response too long"
        case .production: "production's response was not captured whole"
        case .thinned: "left out by ramp, back-off, rate, pause or reload"
        case .breaker: "held back by the breaker"
        case .throttled: "answered 429"
        case .slow: "without a response in time, where production took about as long"
        case .unanswered: "without a replayed response in the recording"
        case .conditional: "production answered 304 or 206"
        case .lag: "sent too long after production's response"
        case .baseline: "without a response of the baseline"
        }
    }
}
