// Wingmirror · Apache-2.0

extension RouteRecord {
    /// Lets a pair vote on each question that its answers allow.
    ///
    /// - Parameters:
    ///   - answers: The answers.
    ///   - isAmbiguous: Whether the request lost its credentials and is answered otherwise, which may be because of that.
    ///   - distance: How much later the candidate was asked than the baseline, in nanoseconds; `nil` where that is not known.
    ///   - time: When the last answer was there.
    ///   - voter: Whose vote it is.
    ///   - limits: From when on a place is volatile.
    mutating func voted(
        _ answers: PairComparison,
        isAmbiguous: Bool,
        distance: Int64?,
        time: Int64,
        voter: inout Voter,
        limits: VerdictLimits
    ) {
        count(answers, limits: limits)
        voted(.errors, whole: answers.errors, raw: 0, worse: 0, better: 0, time: time, voter: &voter)
        // An error has voted by its direction, and says nothing of how answers differ.
        guard !answers.isThrottled, answers.errors == 0 else { return }
        // What a request without its credentials is answered says nothing, unless it is what production answered.
        guard !isAmbiguous else { return }
        let isMismatch = !answers.counted.isEmpty && !answers.isRepair
        let differing = answers.isRepair ? 0 : positions(of: answers.differences, .unadjusted, limits: limits)
        voted(
            .unadjusted,
            whole: isMismatch ? 1 : 0,
            raw: differing == 0 ? 0 : 1,
            worse: differing,
            better: 0,
            time: time,
            voter: &voter
        )
        for reading in answers.readings {
            if let distance, isOfTime(reading, limits: limits) {
                skewed += 1
                guard order.admits(distance) else {
                    apart += 1
                    continue
                }
            }
            voted(reading, time: time, voter: &voter, limits: limits)
        }
    }

    /// Lets the differences of two ends vote.
    ///
    /// The pair as a whole is worse when the candidate differs at places where the reference does not, and the reference at
    /// none where the candidate does not: constant differences of the environment, which both have, hide nothing. There
    /// differences at volatile places are set aside; at their place they vote like any others.
    private mutating func voted(
        _ reading: PairComparison.Reading,
        time: Int64,
        voter: inout Voter,
        limits: VerdictLimits
    ) {
        let question = reading.question
        let candidate = positions(of: reading.candidate, question, limits: limits)
        let reference = positions(of: reading.reference, question, limits: limits)
        let ours = bits(counted(reading.candidate, question, limits: limits))
        let theirs = bits(counted(reading.reference, question, limits: limits))
        voted(
            question,
            whole: Self.side(worse: ours & ~theirs, better: theirs & ~ours),
            raw: Self.side(worse: candidate & ~reference, better: reference & ~candidate),
            worse: candidate & ~reference,
            better: reference & ~candidate,
            time: time,
            voter: &voter
        )
    }

    /// Whether answers differ from the baseline's in a way that the time of asking may explain: by a value of the same shape, at
    /// one end only.
    private mutating func isOfTime(_ reading: PairComparison.Reading, limits: VerdictLimits) -> Bool {
        guard reading.question == .baseline else { return false }
        func values(_ differences: [AnswerDifference]) -> [AnswerDifference] {
            differences.filter { $0.hasEqualShape && $0.kind != .order }
        }
        let ours = positions(of: reading.candidate, .baseline, limits: limits)
        let theirs = positions(of: reading.reference, .baseline, limits: limits)
        let ourValues = positions(of: values(reading.candidate), .baseline, limits: limits)
        let theirValues = positions(of: values(reading.reference), .baseline, limits: limits)
        return ourValues & ~theirs != 0 || theirValues & ~ours != 0
    }

    /// Which side of a pair has differences of its own, when only one has.
    static func side(worse: UInt64, better: UInt64) -> Int64 {
        (worse == 0) == (better == 0) ? 0 : worse != 0 ? 1 : -1
    }

    /// Lets a pair vote on one question: as a whole, and at places, given as bits.
    mutating func voted(
        _ question: Question,
        whole: Int64,
        raw: Int64,
        worse: UInt64,
        better: UInt64,
        time: Int64,
        voter: inout Voter
    ) {
        let number = question.rawValue
        let before = voter.vote.pairs[number]
        voter.vote.pairs[number] += 1
        ballots[number].pairs += 1
        if before == 0 { ballots[number].votes += 1 } else { dilute(question, from: before, &voter.vote) }
        if whole != 0 { say(question, Ballot.wholePlace, whole, time: time, voter: &voter) }
        if raw != 0 { say(question, Ballot.rawPlace, raw, time: time, voter: &voter) }
        forEachPlace(worse) { $0.say(question, UInt8($1), 1, time: time, voter: &voter) }
        forEachPlace(better) { $0.say(question, UInt8($1), -1, time: time, voter: &voter) }
    }

    /// Makes what a key has said before a mean over one pair more.
    private mutating func dilute(_ question: Question, from pairs: UInt32, _ vote: inout VoteTable.Vote) {
        let change = 1 / Double(pairs + 1) - 1 / Double(pairs)
        for entry in vote.entries where entry.question == UInt8(question.rawValue) {
            ballots[question.rawValue][entry.place].worse += Double(entry.worse) * change
            ballots[question.rawValue][entry.place].better += Double(entry.better) * change
        }
    }

    private mutating func say(_ question: Question, _ place: UInt8, _ side: Int64, time: Int64, voter: inout Voter) {
        let number = question.rawValue
        let weight = 1 / Double(voter.vote.pairs[number])
        let known = voter.vote.entries.firstIndex { $0.question == UInt8(number) && $0.place == place }
        let index = known ?? voter.vote.entries.count
        if known == nil { voter.vote.entries.append(VoteTable.Vote.Entry(question: UInt8(number), place: place)) }
        let net = voter.keys.noted(voter.key, question: question, place: place, side: side)
        var tally = ballots[number][place]
        if side > 0 {
            voter.vote.entries[index].worse += 1
            tally.worse += weight
        } else {
            voter.vote.entries[index].better += 1
            tally.better += weight
        }
        tally.pairSeen(side, time: time)
        tally.keys.discount(net.before)
        tally.keys.count(net.after)
        ballots[number][place] = tally
    }

    // MARK: - Places

    /// The places of differences that have a vote there, as bits.
    private mutating func positions(
        of differences: [AnswerDifference],
        _ question: Question,
        limits: VerdictLimits
    ) -> UInt64 {
        bits(differences.filter { isWeighty($0, question, limits: limits) })
    }

    private mutating func bits(_ differences: [AnswerDifference]) -> UInt64 {
        differences.reduce(0) { $0 | 1 << UInt64(places.position(of: $1.place)) }
    }

    /// Counts where and how a pair differs, for people.
    private mutating func count(_ answers: PairComparison, limits: VerdictLimits) {
        var seen = Set<Int>()
        let design = answers.readings.first?.question ?? .unadjusted
        for difference in answers.differences where isWeighty(difference, design, limits: limits) {
            let position = places.position(of: difference.place)
            places[position].kinds[difference.kind, default: 0] += 1
            if seen.insert(position).inserted { places[position].mismatches += 1 }
            if !difference.hasEqualShape { places[position].unlike += 1 }
        }
    }

    private mutating func forEachPlace(_ bits: UInt64, _ body: (inout RouteRecord, Int) -> Void) {
        var left = bits
        while left != 0 {
            body(&self, left.trailingZeroBitCount)
            left &= left - 1
        }
    }
}

/// Whose vote it is: what its key has said within its window, and ever.
struct Voter {
    let key: VoteTable.Key
    var vote: VoteTable.Vote
    var keys: KeyTable
}
