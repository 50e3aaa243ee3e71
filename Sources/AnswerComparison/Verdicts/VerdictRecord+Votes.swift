// Wingmirror · Apache-2.0

extension VerdictRecord {
    /// Lets a pair vote on each question that its answers allow.
    ///
    /// - Parameters:
    ///   - answers: The answers.
    ///   - isAmbiguous: Whether the request lost its credentials and is answered otherwise, which may be because of that.
    ///   - moments: When candidate and baseline were asked; `nil` where that is not known.
    ///   - time: When the last answer was there.
    ///   - voter: Whose vote it is.
    ///   - limits: From when on a place is volatile.
    /// - Returns: The places, as bits, at which the candidate is worse than what it is held against.
    mutating func voted(
        _ answers: PairComparison,
        isAmbiguous: Bool,
        moments: AskingMoments?,
        time: Int64,
        voter: inout Voter,
        limits: VerdictLimits
    ) -> UInt64 {
        count(answers, limits: limits)
        voted(.errors, whole: answers.errors, raw: 0, worse: 0, better: 0, time: time, voter: &voter)
        // An error has voted by its direction, and says nothing of how answers differ.
        guard !answers.isThrottled, answers.errors == 0 else { return 0 }
        // What a request without its credentials is answered says nothing, unless it is what production answered.
        guard !isAmbiguous else { return 0 }
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
        var worse: UInt64 = 0
        for reading in answers.readings {
            let (all, counted) = sides(of: reading, limits: limits)
            var setAside: UInt64 = 0
            if let moments, reading.question == .baseline {
                guard let places = explainedByTime(reading, all, moments, limits: limits) else { continue }
                setAside = places
            }
            worse |= voted(reading, all, counted, setAside: setAside, time: time, voter: &voter)
        }
        return worse
    }

    /// The places at which either of two ends has more differences: all of them, and those that count in pairs as wholes.
    ///
    /// A place is worse when more values differ there at the candidate than at the reference, and better when fewer do: entries of
    /// lists, pieces of a page and words of a text share places, and one that varies, or that staging has otherwise, differs at
    /// both. If the ends are alike, either has more as often as the other, however many vary. The pair as a whole is worse when
    /// places are worse and none is better; there differences at volatile places are set aside, while at their place they vote like
    /// any others. A volatile place at which as many values differ is worse where only the candidate's have lost their shape.
    private mutating func sides(
        of reading: PairComparison.Reading,
        limits: VerdictLimits
    ) -> (all: Sides, counted: Sides) {
        let question = reading.question
        let differing = balance(
            weighty(reading.candidate, question, limits: limits),
            weighty(reading.reference, question, limits: limits)
        )
        let counted = balance(
            counted(reading.candidate, question, limits: limits),
            counted(reading.reference, question, limits: limits)
        )
        let even = ~(differing.worse | differing.better)
        let all = Sides(
            worse: differing.worse | counted.worse & even,
            better: differing.better | counted.better & even
        )
        return (all, counted)
    }

    /// Lets the differences of two ends vote.
    /// - Returns: The places, as bits, that are worse.
    private mutating func voted(
        _ reading: PairComparison.Reading,
        _ all: Sides,
        _ counted: Sides,
        setAside: UInt64,
        time: Int64,
        voter: inout Voter
    ) -> UInt64 {
        let stuck = stuckPlaces(reading, among: ~(all.worse | all.better))
        let all = all.joined(with: stuck).without(setAside)
        let counted = counted.joined(with: stuck).without(setAside)
        voted(
            reading.question,
            whole: Self.side(worse: counted.worse, better: counted.better),
            raw: Self.side(worse: all.worse, better: all.better),
            worse: all.worse,
            better: all.better,
            time: time,
            voter: &voter
        )
        return all.worse
    }

    /// The places at which both ends have another value than production, and only one says again what it said before.
    ///
    /// A token that is the same each time is wrong where it should be new, and no one answer shows that. Each answer is held
    /// against one other only, so that if the ends are alike, either repeats itself as often as the other. Where the other end has
    /// a few values only, as one of several servers has, there is no vote, and no pass beside a baseline (`maskedPlaces`).
    private mutating func stuckPlaces(_ reading: PairComparison.Reading, among places: UInt64) -> Sides {
        guard [.baseline, .naturalRepeats].contains(reading.question) else { return Sides() }
        let hasBaseline = reading.question == .baseline
        func values(_ differences: [AnswerDifference]) -> [AnswerPlace: AnswerDifference] {
            Dictionary(
                differences.lazy.filter { difference in
                    guard difference.kind == .value, difference.hasEqualShape,
                        difference.expectation != .infrastructure
                    else { return false }
                    guard hasBaseline else {
                        return difference.expectation == .presumedVolatile && !difference.isOfEnvironment
                    }
                    // What says where an answer was made is the same at one place.
                    return !difference.isOfEnvironment || difference.expectation == .presumedVolatile
                }
                .map { ($0.place, $0) }
            ) { first, _ in first }
        }
        let ours = values(reading.candidate)
        let theirs = hasBaseline ? values(reading.reference) : ours
        var sides = Sides()
        // In order, so that the same places get room each time.
        for (place, candidate) in ours.sorted(by: { $0.key < $1.key }) {
            // Places without a room of their own share one, where the values of one would be held against another's.
            guard let reference = theirs[place], !self.places.isOverflow(place) else { continue }
            let position = self.places.position(of: place)
            let found = self.places[position].repeated[hasBaseline ? 0 : 1].observed(
                candidate: candidate.candidate,
                reference: hasBaseline ? reference.candidate : reference.production
            )
            guard places & 1 << UInt64(position) != 0 else { continue }
            switch found {
            case .neither: continue
            // A cookie that keeps a client at one of several servers says nothing of them.
            case .ofFewValues(let side) where hasBaseline:
                if !candidate.isExpected { self.places[position].shared.repeated.count(side) }
            case .ofFewValues(let side), .ofNewValues(let side):
                guard side > 0 else {
                    sides.better |= 1 << UInt64(position)
                    continue
                }
                sides.worse |= 1 << UInt64(position)
                self.places[position].stuck += 1
                // A value that is new each time by definition was no difference until here.
                if candidate.isExpected {
                    self.places[position].mismatches += 1
                    self.places[position].kinds[.value, default: 0] += 1
                }
            }
        }
        return sides
    }

    /// The places at which time may explain how candidate and baseline differ from production, to be set aside in a pair.
    ///
    /// At a place where more values differ at one end, and they have the same shape, it may, unless the order of asking is not ahead,
    /// or it differs so in more pairs than time explains.
    /// - Returns: The places, as bits; `nil` for a pair that does not vote, since nothing else differs more at one end.
    private mutating func explainedByTime(
        _ reading: PairComparison.Reading,
        _ all: Sides,
        _ moments: AskingMoments,
        limits: VerdictLimits
    ) -> UInt64? {
        func values(_ differences: [AnswerDifference]) -> [AnswerDifference] {
            differences.filter { $0.hasEqualShape && $0.kind != .order }
        }
        func weighty(_ differences: [AnswerDifference]) -> [AnswerDifference] {
            self.weighty(differences, .baseline, limits: limits)
        }
        let ours = balance(weighty(values(reading.candidate)), weighty(values(reading.reference)))
        let theirValues = bits(weighty(values(reading.reference)))
        quickest.candidate.observed(moments.candidateLatency)
        quickest.baseline.observed(moments.baselineLatency)
        exposure.observed(moments)
        if let lag = moments.lag {
            forEachPlace(theirValues) { record, position in
                record.places[position].changed.pairs += 1
                record.places[position].changed.lag += Double(lag)
            }
        }
        let oneSided = all.worse & ours.worse | all.better & ours.better
        guard oneSided != 0 else { return 0 }
        skewed += 1
        let explained = oneSided & ~placesBeyondTime(oneSided)
        guard explained != 0 else { return 0 }
        let delay = max(
            quickest.candidate.delay(of: moments.candidateLatency),
            quickest.baseline.delay(of: moments.baselineLatency)
        )
        let isEven = delay < AskingOrder.least || hasEvenSides(explained)
        if delay >= AskingOrder.least {
            forEachPlace(explained) { record, position in
                record.places[position].waited.observed(isWorse: ours.worse & 1 << UInt64(position) != 0)
            }
        }
        if isEven, order.admits(moments.asked) { return 0 }
        forEachPlace(explained) { $0.places[$1].held += 1 }
        apart += 1
        if !isEven { delayed += 1 }
        return explained == all.worse | all.better ? nil : explained
    }

    /// Whether at each of some places neither side is ahead, in pairs that waited.
    private func hasEvenSides(_ positions: UInt64) -> Bool {
        var left = positions
        while left != 0 {
            guard places.records[left.trailingZeroBitCount].waited.isEven else { return false }
            left &= left - 1
        }
        return true
    }

    /// Those of some places at which values differed at one end only in more pairs than passing time explains.
    private func placesBeyondTime(_ positions: UInt64) -> UInt64 {
        var (left, beyond) = (positions, UInt64(0))
        while left != 0 {
            let place = places.records[left.trailingZeroBitCount]
            let most = exposure.mostChanges(changed: place.changed.pairs, changedLag: place.changed.lag)
            if Double(place.held) >= most { beyond |= left & (~left + 1) }
            left &= left - 1
        }
        return beyond
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
        // What differs from production alone is no evidence, so that no key need bear it out.
        let net =
            question == .unadjusted
            ? (before: 0, after: 0) : voter.keys.noted(voter.key, question: question, place: place, side: side)
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
        bits(weighty(differences, question, limits: limits))
    }

    private mutating func bits(_ differences: [AnswerDifference]) -> UInt64 {
        differences.reduce(0) { $0 | 1 << UInt64(places.position(of: $1.place)) }
    }

    /// The places at which more values differ at one of two ends than at the other.
    ///
    /// Places without a room of their own share a bit, which falls to the end that has more of them.
    private mutating func balance(_ ours: [AnswerDifference], _ theirs: [AnswerDifference]) -> Sides {
        var net: [AnswerPlace: Int] = [:]
        for difference in ours { net[difference.place, default: 0] += difference.occurrences }
        for difference in theirs { net[difference.place, default: 0] -= difference.occurrences }
        // In the order of the answers, so that the same places get room each time.
        var sums = [Int](repeating: 0, count: 64)
        for place in (ours + theirs).map(\.place) {
            let position = places.position(of: place)
            sums[position] += (net.removeValue(forKey: place) ?? 0).signum()
        }
        var sides = Sides()
        for (position, sum) in sums.enumerated() where sum != 0 {
            if sum > 0 { sides.worse |= 1 << UInt64(position) } else { sides.better |= 1 << UInt64(position) }
        }
        return sides
    }

    /// Counts where and how a pair differs, for people, and what may hide a difference.
    private mutating func count(_ answers: PairComparison, limits: VerdictLimits) {
        if answers.differences.contains(where: { !$0.isExpected && places.isOverflow($0.place) }) {
            overflowedPairs += 1
        }
        if !hasBaseline { countUncompared(answers) }
        var seen = Set<Int>()
        let design = answers.readings.first?.question ?? .unadjusted
        for difference in answers.differences where isWeighty(difference, design, limits: limits) {
            let position = places.position(of: difference.place)
            places[position].kinds[difference.kind, default: 0] += 1
            if seen.insert(position).inserted { places[position].mismatches += 1 }
            if !difference.hasEqualShape { places[position].unlike += 1 }
        }
    }

    /// Counts the places at which a pair differs by values that are presumed to vary, by several, by a 0, or by what was compared
    /// as a whole.
    private mutating func countUncompared(_ answers: PairComparison) {
        for difference in answers.differences where !difference.isExpected {
            let isPresumed = difference.expectation == .presumedVolatile
            guard difference.isCoarse || isPresumed || difference.isOfZero || difference.occurrences > 1 else {
                continue
            }
            let position = places.position(of: difference.place)
            if difference.isOfZero { places[position].zeros += 1 }
            if difference.isCoarse { places[position].coarse += 1 }
            if difference.occurrences > 1 { places[position].several += 1 }
            if isPresumed, difference.hasEqualShape, !difference.isOfEnvironment {
                places[position].presumed += 1
            }
        }
    }

    private mutating func forEachPlace(_ bits: UInt64, _ body: (inout VerdictRecord, Int) -> Void) {
        var left = bits
        while left != 0 {
            body(&self, left.trailingZeroBitCount)
            left &= left - 1
        }
    }
}

/// The places, as bits, at which the candidate is worse, and better.
private struct Sides {
    var worse: UInt64 = 0
    var better: UInt64 = 0

    /// The same and others.
    func joined(with others: Sides) -> Sides {
        Sides(worse: worse | others.worse, better: better | others.better)
    }

    /// The same but for some places.
    func without(_ places: UInt64) -> Sides { Sides(worse: worse & ~places, better: better & ~places) }
}

/// Whose vote it is: what its key has said within its window, and ever.
struct Voter {
    let key: VoteTable.Key
    var vote: VoteTable.Vote
    var keys: KeyTable
}
