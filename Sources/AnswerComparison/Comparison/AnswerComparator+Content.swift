// Wingmirror · Apache-2.0

import JSONSyntax

extension AnswerComparator {
    /// Compares contents: as JSON where both are, else as lines of text where both are text, else as octets.
    func compareContents(
        _ production: inout PreparedAnswer,
        _ candidate: inout PreparedAnswer,
        hosts: LinkHosts,
        unordered: Set<String>,
        into comparison: inout ComparedAnswers
    ) {
        guard !isEqual(production, candidate) else { return }
        guard production.isReadable, candidate.isReadable else {
            return compareUnread(production, candidate, into: &comparison)
        }
        comparison.contentIsCut = !production.isWhole || !candidate.isWhole
        guard production.content.isEmpty == candidate.content.isEmpty else {
            let kind: DifferenceKind = production.content.isEmpty ? .extra : .missing
            return append(kind, octets(production), octets(candidate), into: &comparison)
        }
        if let first = production.json(), let second = candidate.json() {
            var walk = JSONComparison(self, hosts: hosts, unordered: unordered, list: comparison.list)
            let isComplete = walk.compareContents(first, second)
            comparison.list = walk.list
            // What lies behind the limit differs in octets, and perhaps in nothing else.
            if !isComplete { append(.value, octets(production), octets(candidate), into: &comparison) }
        } else if production.isText, candidate.isText {
            compareText(production, candidate, hosts: hosts, into: &comparison)
        } else {
            compareOctets(production, candidate, into: &comparison)
        }
    }

    private func isEqual(_ production: PreparedAnswer, _ candidate: PreparedAnswer) -> Bool {
        production.isReadable == candidate.isReadable
            && (production.isReadable || production.codings == candidate.codings)
            && production.isWhole && candidate.isWhole && production.content == candidate.content
    }

    /// A coding that production's answer could be freed of and the other's could not is a difference; an unknown one says nothing.
    private func compareUnread(
        _ production: PreparedAnswer,
        _ candidate: PreparedAnswer,
        into comparison: inout ComparedAnswers
    ) {
        let isBroken =
            production.isReadable && candidate.isWhole
            && candidate.codings.allSatisfy { ["gzip", "x-gzip", "deflate"].contains($0) }
        if isBroken {
            append(.type, octets(production), "unreadable", into: &comparison)
        } else {
            comparison.contentIsUnread = true
        }
    }

    private func append(
        _ kind: DifferenceKind,
        _ production: String,
        _ candidate: String,
        hasEqualShape: Bool = false,
        into comparison: inout ComparedAnswers
    ) {
        var difference = AnswerDifference(
            place: .content(""),
            kind: kind,
            production: production,
            candidate: candidate
        )
        difference.hasEqualShape = hasEqualShape
        comparison.list.append(difference)
    }

    private func octets(_ answer: PreparedAnswer) -> String {
        answer.content.isEmpty ? "empty" : "\(answer.contentOctets) octets \(sketch.mark(answer.content))"
    }

    // MARK: - Text

    /// Compares lines in order; where content is cut, the whole lines that both have.
    private func compareText(
        _ production: PreparedAnswer,
        _ candidate: PreparedAnswer,
        hosts: LinkHosts,
        into comparison: inout ComparedAnswers
    ) {
        var first = lines(production)
        var second = lines(candidate)
        if comparison.contentIsCut {
            let shared = min(first.count, second.count)
            guard shared > 0 else { return compareOctets(production, candidate, into: &comparison) }
            first = first.prefix(shared)
            second = second.prefix(shared)
        }
        let differing = zip(first, second).enumerated().first { _, pair in
            pair.0 != pair.1 && hosts.relative(Array(pair.0)) != hosts.relative(Array(pair.1))
        }
        if let (index, pair) = differing {
            append(
                first.count == second.count ? .value : .size,
                "line \(index + 1): " + sketch.text(pair.0),
                "line \(index + 1): " + sketch.text(pair.1),
                hasEqualShape: areAlike(first.count, second.count, production, candidate),
                into: &comparison
            )
        } else if first.count != second.count {
            append(
                .size,
                "\(first.count) lines",
                "\(second.count) lines",
                hasEqualShape: areAlike(first.count, second.count, production, candidate),
                into: &comparison
            )
        } else if comparison.contentIsCut {
            compareSizes(production, candidate, into: &comparison)
        }
    }

    /// The lines of a text; the last one of a cut text is left out, since it may be cut itself.
    private func lines(_ answer: PreparedAnswer) -> ArraySlice<ArraySlice<UInt8>> {
        let lines = answer.content.split(separator: 0x0A, omittingEmptySubsequences: false)
        return answer.isWhole ? lines[...] : lines.dropLast()
    }

    private func areAlike(
        _ first: Int,
        _ second: Int,
        _ production: PreparedAnswer,
        _ candidate: PreparedAnswer
    ) -> Bool {
        ValueShape.areClose(first, second) && ValueShape.areClose(production.content.count, candidate.content.count)
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
            production.contentOctets != candidate.contentOctets
        else { return }
        append(
            .size,
            "\(production.contentOctets) octets",
            "\(candidate.contentOctets) octets",
            hasEqualShape: ValueShape.areClose(Int(production.contentOctets), Int(candidate.contentOctets)),
            into: &comparison
        )
    }
}
