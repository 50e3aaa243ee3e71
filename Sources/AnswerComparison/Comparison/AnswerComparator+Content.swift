// Wingmirror · Apache-2.0

import JSONSyntax

extension AnswerComparator {
    /// Compares contents: as JSON where both are, else token by token where both are text, else as octets.
    func compareContents(
        _ production: inout PreparedAnswer,
        _ candidate: inout PreparedAnswer,
        hosts: LinkHosts,
        asked: AskedFor,
        unordered: Set<String>,
        into comparison: inout ComparedAnswers
    ) {
        compareCodings(production, candidate, asked: asked, into: &comparison)
        guard !isEqual(production, candidate) else { return }
        guard production.isReadable, candidate.isReadable else {
            return compareUnread(production, candidate, asked: asked, into: &comparison)
        }
        comparison.contentIsCut = !production.isWhole || !candidate.isWhole
        // Of which nothing was kept, nothing is known but its length.
        if [production, candidate].contains(where: { $0.content.isEmpty && $0.contentOctets > 0 }) {
            return compareSizes(production, candidate, into: &comparison)
        }
        guard production.content.isEmpty == candidate.content.isEmpty else {
            let kind: DifferenceKind = production.content.isEmpty ? .extra : .missing
            return append(kind, octets(production), octets(candidate), into: &comparison)
        }
        if let first = production.json(), let second = candidate.json(), production.isLatin1 == candidate.isLatin1 {
            var walk = JSONComparison(
                self,
                hosts: hosts,
                unordered: unordered,
                moments: AnswerTime.Moments(production.moment, candidate.moment),
                list: comparison.list
            )
            let isComplete = walk.compareContents(first, second)
            comparison.list = walk.list
            if production.wrapper != candidate.wrapper {
                append(.type, sketch.text(production.wrapper), sketch.text(candidate.wrapper), into: &comparison)
            }
            // What lies behind the limit differs in octets, and perhaps in nothing else.
            if !isComplete {
                comparison.contentIsCut = true
                append(.value, octets(production), octets(candidate), into: &comparison)
            }
        } else if production.isText, candidate.isText {
            compareText(production, candidate, hosts: hosts, into: &comparison)
        } else {
            compareOctets(production, candidate, into: &comparison)
        }
    }

    /// How content is coded is no difference, unless the client says that it cannot read it so, and production's it can.
    private func compareCodings(
        _ production: PreparedAnswer,
        _ candidate: PreparedAnswer,
        asked: AskedFor,
        into comparison: inout ComparedAnswers
    ) {
        let name = "content-encoding"
        // Of content that cannot be freed of its coding more is said below; that of calls is a field like any other.
        guard candidate.isReadable, !candidate.isCall, !isIgnored(name),
            candidate.codings.contains(where: { asked.rulesOut($0) && !production.codings.contains($0) })
        else { return }
        comparison.list.append(
            AnswerDifference(
                place: .field(name),
                kind: production.codings.isEmpty ? .extra : .value,
                production: production.codings.isEmpty ? "absent" : production.codings.joined(separator: ", "),
                candidate: candidate.codings.joined(separator: ", ")
            )
        )
    }

    private func isEqual(_ production: PreparedAnswer, _ candidate: PreparedAnswer) -> Bool {
        production.isReadable == candidate.isReadable
            && (production.isReadable || production.codings == candidate.codings)
            && production.isWhole && candidate.isWhole && production.content == candidate.content
    }

    /// A coding that production's answer could be freed of and the other's could not is a difference, and so is one that was not
    /// asked for; another unknown one says nothing.
    private func compareUnread(
        _ production: PreparedAnswer,
        _ candidate: PreparedAnswer,
        asked: AskedFor,
        into comparison: inout ComparedAnswers
    ) {
        let known: Set<String> = ["gzip", "x-gzip", "deflate", "br"]
        if production.isReadable, candidate.isWhole, candidate.codings.allSatisfy(known.contains) {
            append(.type, octets(production), "unreadable", into: &comparison)
        } else if production.isReadable,
            candidate.codings.contains(where: { !known.contains($0) && !asked.accepts($0) })
        {
            // What it says is not known all the same.
            comparison.contentIsUnread = true
            append(.type, octets(production), "unreadable", into: &comparison)
        } else if !production.isWhole || !candidate.isWhole {
            comparison.contentIsCut = true
        } else {
            comparison.contentIsUnread = true
        }
    }

    private func append(
        _ kind: DifferenceKind,
        _ production: String,
        _ candidate: String,
        hasEqualShape: Bool = false,
        isCoarse: Bool = false,
        into comparison: inout ComparedAnswers
    ) {
        var difference = AnswerDifference(
            place: .content(""),
            kind: kind,
            production: production,
            candidate: candidate
        )
        difference.hasEqualShape = hasEqualShape
        difference.isCoarse = isCoarse
        comparison.list.append(difference)
    }

    private func octets(_ answer: PreparedAnswer) -> String {
        answer.content.isEmpty ? "empty" : "\(answer.contentOctets) octets \(sketch.mark(answer.content))"
    }

    // MARK: - Text

    /// Compares texts token by token, each at the place that its form names; where content is cut, as far as both go.
    private func compareText(
        _ production: PreparedAnswer,
        _ candidate: PreparedAnswer,
        hosts: LinkHosts,
        into comparison: inout ComparedAnswers
    ) {
        let isMarkup = production.isMarkup && candidate.isMarkup
        var first = TextTokens.tokens(production.content, isMarkup: isMarkup, isWhole: production.isWhole)
        var second = TextTokens.tokens(candidate.content, isMarkup: isMarkup, isWhole: candidate.isWhole)
        if comparison.contentIsCut {
            let shared = min(first.count, second.count)
            guard shared > 0 else { return compareOctets(production, candidate, into: &comparison) }
            first = Array(first.prefix(shared))
            second = Array(second.prefix(shared))
        }
        let before = comparison.list.additions
        let alignment = TextTokens.alignment(first, second)
        for (ours, theirs) in alignment.pairs where ours.octets != theirs.octets {
            compareTokens(ours, theirs, hosts, isMarkup: isMarkup, into: &comparison)
        }
        for token in alignment.missing { append(.missing, token, nil, into: &comparison) }
        for token in alignment.extra { append(.extra, nil, token, into: &comparison) }
        if comparison.list.additions == before, comparison.contentIsCut {
            compareSizes(production, candidate, into: &comparison)
        }
    }

    private func compareTokens(
        _ ours: TextToken,
        _ theirs: TextToken,
        _ hosts: LinkHosts,
        isMarkup: Bool,
        into comparison: inout ComparedAnswers
    ) {
        let texts = [ours, theirs].map { token in
            let text = hosts.relative(Array(token.octets))
            return isMarkup ? MarkupTag.inOrder(text) : text
        }
        guard texts[0] != texts[1] else { return }
        var difference = AnswerDifference(
            place: .content(ours.form),
            kind: .value,
            production: sketch.text(ours.octets),
            candidate: sketch.text(theirs.octets)
        )
        difference.hasEqualShape =
            ours.form == theirs.form && ValueShape.areClose(ours.octets.count, theirs.octets.count)
        let words = TextWords.difference(texts[0], texts[1])
        difference.occurrences = words.count
        difference.isCoarse = !words.isAligned
        comparison.list.append(difference)
    }

    private func append(
        _ kind: DifferenceKind,
        _ ours: TextToken?,
        _ theirs: TextToken?,
        into comparison: inout ComparedAnswers
    ) {
        comparison.list.append(
            AnswerDifference(
                place: .content((ours ?? theirs)?.form ?? ""),
                kind: kind,
                production: ours.map { sketch.text($0.octets) } ?? "absent",
                candidate: theirs.map { sketch.text($0.octets) } ?? "absent"
            )
        )
    }

    // MARK: - Octets

    private func compareOctets(
        _ production: PreparedAnswer,
        _ candidate: PreparedAnswer,
        into comparison: inout ComparedAnswers
    ) {
        let shared = min(production.content.count, candidate.content.count)
        if comparison.contentIsCut, production.content.prefix(shared) == candidate.content.prefix(shared) {
            return compareSizes(production, candidate, into: &comparison)
        }
        append(
            production.contentOctets == candidate.contentOctets ? .value : .size,
            octets(production),
            octets(candidate),
            hasEqualShape: ValueShape.areClose(Int(production.contentOctets), Int(candidate.contentOctets)),
            isCoarse: true,
            into: &comparison
        )
    }

    /// Compares how long cut contents were, when all that was kept of them is equal.
    private func compareSizes(
        _ production: PreparedAnswer,
        _ candidate: PreparedAnswer,
        into comparison: inout ComparedAnswers
    ) {
        guard production.codings.isEmpty, candidate.codings.isEmpty,
            production.contentOctets != candidate.contentOctets,
            !mayBeAsLong(production, candidate), !mayBeAsLong(candidate, production)
        else { return }
        append(
            .size,
            "\(production.contentOctets) octets",
            "\(candidate.contentOctets) octets",
            hasEqualShape: ValueShape.areClose(Int(production.contentOctets), Int(candidate.contentOctets)),
            into: &comparison
        )
    }

    /// Whether an answer that was not read to its end may be as long as another one.
    private func mayBeAsLong(_ open: PreparedAnswer, _ other: PreparedAnswer) -> Bool {
        open.isOpen && (other.isOpen || other.contentOctets >= open.contentOctets)
    }
}
