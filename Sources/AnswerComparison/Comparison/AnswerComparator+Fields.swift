// Wingmirror · Apache-2.0
// Fields: RFC 9110 §5; Expires: RFC 9111 §5.3.

import OctetText

extension AnswerComparator {
    /// Compares the fields of two answers by name; the lines of one name count as one list.
    func compareFields(
        _ production: PreparedAnswer,
        _ candidate: PreparedAnswer,
        hosts: LinkHosts,
        into comparison: inout ComparedAnswers
    ) {
        for name in Set(production.fields.keys).union(candidate.fields.keys).sorted() where isCompared(name) {
            let first = production.fields[name]
            let second = candidate.fields[name]
            guard first != second else { continue }
            switch (first, second) {
            case (let first, let second) where name == "set-cookie":
                compareCookies(
                    (first ?? []).map { ResponseCookie($0, date: production.date, moment: production.moment) },
                    (second ?? []).map { ResponseCookie($0, date: candidate.date, moment: candidate.moment) },
                    hosts: hosts,
                    into: &comparison
                )
            case (let first?, let second?) where name == "expires":
                // When content expires is new each time; whether it may be kept at all is not.
                append(
                    name,
                    .value,
                    joined(first),
                    joined(second),
                    .volatile,
                    hasEqualShape: production.hasExpired(joined(first)) == candidate.hasExpired(joined(second)),
                    areTimes: true,
                    into: &comparison
                )
            case (let first?, let second?):
                // The content says what an entity tag would.
                let isTag = name == "etag" && !comparison.contentIsUnread && !production.content.isEmpty
                compare(
                    name,
                    joined(first),
                    joined(second),
                    isKnownVolatile: isTag,
                    moments: AnswerTime.Moments(production.moment, candidate.moment),
                    hosts: hosts,
                    into: &comparison
                )
            case (let first, let second):
                let value = joined(first ?? second ?? [])
                guard !FieldRules.normalised(name, value, hosts: hosts).isEmpty || name != "vary" else { continue }
                append(
                    name,
                    first == nil ? .extra : .missing,
                    first.map(joined),
                    second.map(joined),
                    FieldRules.expectation(name, value: value),
                    into: &comparison
                )
            }
        }
    }

    /// Compares how long the contents are said to be that a request for the head alone did not get.
    func compareLengths(
        _ production: PreparedAnswer,
        _ candidate: PreparedAnswer,
        into comparison: inout ComparedAnswers
    ) {
        let name = "content-length"
        guard production.codings == candidate.codings, let first = production.fields[name]?.first,
            let second = candidate.fields[name]?.first, first != second
        else { return }
        let lengths = [first, second].compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        let areClose =
            lengths.count == 2 && lengths.allSatisfy { $0 > 0 } && ValueShape.areClose(lengths[0], lengths[1])
        append(name, .value, first, second, .stable, hasEqualShape: areClose, into: &comparison)
    }

    private func joined(_ values: [[UInt8]]) -> [UInt8] { Array(values.joined(separator: ", ".utf8)) }

    private func compare(
        _ name: String,
        _ production: [UInt8],
        _ candidate: [UInt8],
        isKnownVolatile: Bool,
        moments: AnswerTime.Moments,
        hosts: LinkHosts,
        into comparison: inout ComparedAnswers
    ) {
        let first = FieldRules.normalised(name, production, hosts: hosts)
        let second = FieldRules.normalised(name, candidate, hosts: hosts)
        guard first != second else { return }
        let expectation = isKnownVolatile ? .volatile : FieldRules.expectation(name, value: first)
        let hasEqualShape = ValueShape(first).isLike(ValueShape(second))
        let areTimes = AnswerTime.areTimes(production, candidate, of: moments)
        append(
            name,
            .value,
            production,
            candidate,
            expectation,
            hasEqualShape: hasEqualShape,
            areTimes: areTimes,
            isShifted: areTimes && AnswerTime.areShifted(production, candidate, of: moments),
            arePods: PodName.areNames(production, candidate),
            words: FormatClass(first) == .text ? TextWords.difference(first, second) : nil,
            into: &comparison
        )
    }

    private func append(
        _ name: String,
        _ kind: DifferenceKind,
        _ production: [UInt8]?,
        _ candidate: [UInt8]?,
        _ expectation: AnswerDifference.Expectation,
        hasEqualShape: Bool = false,
        areTimes: Bool = false,
        isShifted: Bool = false,
        arePods: Bool = false,
        words: TextWords.Difference? = nil,
        into comparison: inout ComparedAnswers
    ) {
        let isSecret = secretFields.contains(name)
        var difference = AnswerDifference(
            place: .field(name),
            kind: kind,
            production: production.map { sketch.text($0, isSecret: isSecret) } ?? "absent",
            candidate: candidate.map { sketch.text($0, isSecret: isSecret) } ?? "absent"
        )
        difference.expectation = expectation
        difference.hasEqualShape = hasEqualShape
        // Times differ anyway; that they are off differs beside that.
        difference.occurrences = (words?.count ?? 1) + (isShifted ? 1 : 0)
        difference.isCoarse = words?.isAligned == false
        difference.isOfEnvironment = FieldRules.isOfEnvironment(name) || areTimes || arePods
        comparison.list.append(difference)
    }

    // MARK: - Cookies

    /// Compares cookies by name, each at a place of its own, but for their values, which are expected to be new.
    ///
    /// What counts is whether they are set or deleted, how long they last, where they are sent, and what guards them.
    private func compareCookies(
        _ first: [ResponseCookie],
        _ second: [ResponseCookie],
        hosts: LinkHosts,
        into comparison: inout ComparedAnswers
    ) {
        let production = inEffect(first)
        let candidate = inEffect(second)
        for name in Set(production.keys).union(candidate.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let ours = production[name] ?? []
            let theirs = candidate[name] ?? []
            let kind: DifferenceKind =
                ours.count < theirs.count ? .extra : ours.count > theirs.count ? .missing : .value
            let pairs = zip(ours, theirs)
            let unlike = pairs.first { !$0.isLike($1, hosts: hosts) }
            let isLike = unlike == nil && kind == .value
            let shorter = isLike ? pairs.first { !$0.lastsAsLong(as: $1) } : nil
            guard !isLike || shorter != nil || pairs.contains(where: { $0.value != $1.value }) else { continue }
            var difference = AnswerDifference(
                place: .field("set-cookie " + Self.placeName(name)),
                kind: kind,
                production: shown(unlike?.0 ?? shorter?.0 ?? ours.last, withSeconds: shorter != nil),
                candidate: shown(unlike?.1 ?? shorter?.1 ?? theirs.last, withSeconds: shorter != nil)
            )
            // How long cookies last is a setting, and no news each time.
            difference.expectation = shorter == nil ? .volatile : .stable
            difference.hasEqualShape = isLike
            comparison.list.append(difference)
        }
    }

    /// The name of a cookie as part of the name of a place; names that may say something of a person are all `*`.
    private static func placeName(_ name: [UInt8]) -> String {
        let text = String(decoding: name, as: UTF8.self)
        return ContentPath.isName(text) ? text : "*"
    }

    /// The cookies that a client takes up, by name: of lines that set the same one, the last.
    private func inEffect(_ cookies: [ResponseCookie]) -> [[UInt8]: [ResponseCookie]] {
        let last = Dictionary(cookies.map { ($0.identity, $0) }) { $1 }
        let inOrder = last.values.sorted { first, second in
            let keys = [first, second].map { $0.identity.path + [0] + ($0.identity.domain ?? []) }
            return keys[0].lexicographicallyPrecedes(keys[1])
        }
        return Dictionary(grouping: inOrder) { $0.identity.name }
    }

    private func shown(_ cookie: ResponseCookie?, withSeconds: Bool) -> String {
        guard let cookie else { return "absent" }
        let seconds = withSeconds ? cookie.seconds.map { " \(Int($0.rounded())) s" } ?? "" : ""
        return "\(sketch.text(cookie.value, isSecret: true)), \(cookie.lifetime.rawValue)\(seconds)"
    }
}
