// Wingmirror · Apache-2.0
// Fields: RFC 9110 §5; cookies: RFC 6265.

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
            case (let first?, let second?) where name == "set-cookie":
                compareCookies(first, second, into: &comparison)
            case (let first?, let second?):
                // The content says what an entity tag would.
                let isTag = name == "etag" && !comparison.contentIsUnread && !production.content.isEmpty
                compare(name, joined(first), joined(second), isKnownVolatile: isTag, hosts: hosts, into: &comparison)
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

    private func joined(_ values: [[UInt8]]) -> [UInt8] { Array(values.joined(separator: ", ".utf8)) }

    private func compare(
        _ name: String,
        _ production: [UInt8],
        _ candidate: [UInt8],
        isKnownVolatile: Bool,
        hosts: LinkHosts,
        into comparison: inout ComparedAnswers
    ) {
        let first = FieldRules.normalised(name, production, hosts: hosts)
        let second = FieldRules.normalised(name, candidate, hosts: hosts)
        guard first != second else { return }
        let expectation = isKnownVolatile ? .volatile : FieldRules.expectation(name, value: first)
        let hasEqualShape = ValueShape(first).isLike(ValueShape(second))
        append(name, .value, production, candidate, expectation, hasEqualShape: hasEqualShape, into: &comparison)
    }

    private func append(
        _ name: String,
        _ kind: DifferenceKind,
        _ production: [UInt8]?,
        _ candidate: [UInt8]?,
        _ expectation: AnswerDifference.Expectation,
        hasEqualShape: Bool = false,
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
        difference.isOfEnvironment =
            FieldRules.validators.contains(name)
            || [production, candidate].allSatisfy { $0.map { FormatClass($0) == .time } ?? false }
        comparison.list.append(difference)
    }

    // MARK: - Cookies

    /// Compares cookies by name and by the attributes that guard them; their values are expected to be new.
    private func compareCookies(_ first: [[UInt8]], _ second: [[UInt8]], into comparison: inout ComparedAnswers) {
        let production = Dictionary(first.map(ResponseCookie.init).map { ($0.name, $0) }) { $1 }
        let candidate = Dictionary(second.map(ResponseCookie.init).map { ($0.name, $0) }) { $1 }
        for name in Set(production.keys).union(candidate.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let ours = production[name]
            let theirs = candidate[name]
            guard ours != theirs else { continue }
            let kind: DifferenceKind = ours == nil ? .extra : theirs == nil ? .missing : .value
            var isLike = false
            if let ours, let theirs { isLike = ours.isLike(theirs) }
            append("set-cookie", kind, ours?.value, theirs?.value, .volatile, hasEqualShape: isLike, into: &comparison)
        }
    }
}

/// A cookie as a Set-Cookie field line sets it.
private struct ResponseCookie: Equatable {
    let name: [UInt8]
    let value: [UInt8]
    /// Attributes that do not change with time, in lower case and in order.
    let attributes: [[UInt8]]

    init(_ line: [UInt8]) {
        let parts = line.split(separator: UInt8(ascii: ";")).map { Array($0.drop { $0 == 0x20 }) }
        let pair = (parts.first ?? []).split(
            separator: UInt8(ascii: "="),
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        name = Array(pair.first ?? [])
        value = pair.count > 1 ? Array(pair[1]) : []
        attributes = parts.dropFirst().map { $0.map(ASCII.lowered) }
            .filter {
                !$0.starts(with: "expires=".utf8) && !$0.starts(with: "max-age=".utf8)
                    && !$0.starts(with: "domain=".utf8)
            }
            .sorted { $0.lexicographicallyPrecedes($1) }
    }

    func isLike(_ other: ResponseCookie) -> Bool {
        attributes == other.attributes && value.isEmpty == other.value.isEmpty
    }
}
