// Wingmirror · Apache-2.0

import JSONSyntax
import OctetText
public import TrafficModel

/// Compares answers to one request, as the settings of a policy say.
///
/// A pure function of the two answers: what is known of a route's volatile places is applied afterwards, by the verdict
/// book, which is why differences carry their shape. How an answer is carried (content coding, framing, the connection)
/// is no difference; what it says is.
public struct AnswerComparator: Sendable {
    let settings: ComparisonSettings
    let rules: PathRules
    private(set) var hosts: LinkHosts
    let hash: KeyedHash
    let sketch: ValueSketch
    let limits: ComparisonLimits
    let secretFields: Set<String>
    private let ignoredFields: Set<String>
    private let decoder: ContentDecoder

    /// Makes a comparator for a policy.
    /// - Parameters:
    ///   - policy: Its settings, and what it takes out of requests and is not shown of answers either.
    ///   - hosts: The authorities that the targets are known by; that of a request comes to them.
    ///   - secret: The key of the hashes by which values are shown.
    ///   - limits: How much work one comparison may be.
    ///   - decoder: Takes a content coding off.
    public init(
        policy: ComparisonPolicy,
        hosts: [String] = [],
        secret: String = "",
        limits: ComparisonLimits = ComparisonLimits(),
        decoder: @escaping ContentDecoder
    ) {
        settings = policy.settings
        rules = PathRules(settings, secretPaths: policy.secretPaths)
        self.hosts = LinkHosts(hosts)
        hash = KeyedHash(secret: secret)
        sketch = ValueSketch(hash: hash, showsValues: settings.showsValues, limit: limits.excerptOctets)
        self.limits = limits
        secretFields = FieldRules.secret.union(policy.secretFields)
        // What names the version is another with each version, and begins the verdicts anew.
        ignoredFields = Set(settings.ignoredFields).union([settings.versionField.lowercased()])
        self.decoder = decoder
    }

    /// The comparator of answers to a request that servers were asked by some schemes; `nil` where these mean nothing.
    func facing(_ schemes: LinkHosts.Schemes?) -> AnswerComparator {
        var comparator = self
        comparator.hosts.schemes = schemes
        return comparator
    }

    /// Takes the content codings off an answer, once for all comparisons that it takes part in.
    /// - Parameters:
    ///   - response: The answer.
    ///   - seenAt: When it was seen, in nanoseconds since the Unix epoch; 0 where that is not known.
    /// - Returns: The answer as it is compared.
    func prepared(_ response: RecordedResponse, seenAt: Int64 = 0) -> PreparedAnswer {
        PreparedAnswer(response, seenAt: seenAt, settings: settings, depth: limits.depth, decoder: decoder)
    }

    /// Compares two answers.
    /// - Parameters:
    ///   - production: The answer that is held to be right; production's, or the first of two of one server.
    ///   - candidate: The other.
    ///   - authority: The Host of the request; links to it are no difference.
    ///   - asked: What the request asks of the form of its answer.
    ///   - unordered: Lists, by path, whose order varies by itself: they are compared as sets, and their order apart.
    /// - Returns: The differences, and whether content could be read.
    func compare(
        _ production: inout PreparedAnswer,
        _ candidate: inout PreparedAnswer,
        authority: String?,
        asked: AskedFor = AskedFor(),
        unordered: Set<String> = []
    ) -> ComparedAnswers {
        var comparison = nothing
        guard production.status == candidate.status else {
            // What an error page says is a consequence.
            let isSameClass = production.status / 100 == candidate.status / 100
            comparison.list.append(
                AnswerDifference(
                    place: .status,
                    kind: isSameClass ? .status : .statusClass,
                    production: String(production.status),
                    candidate: String(candidate.status)
                )
            )
            return comparison
        }
        guard production.isCall == candidate.isCall, production.grpcStatus == candidate.grpcStatus else {
            comparison.list.append(
                AnswerDifference(
                    place: .status,
                    kind: production.isFailure == candidate.isFailure ? .status : .statusClass,
                    production: production.statusText,
                    candidate: candidate.statusText
                )
            )
            return comparison
        }
        let hosts = hosts.adding(authority)
        compareContents(&production, &candidate, hosts: hosts, asked: asked, unordered: unordered, into: &comparison)
        compareFields(production, candidate, hosts: hosts, into: &comparison)
        if asked.isHead { compareLengths(production, candidate, into: &comparison) }
        return comparison
    }

    /// Compares two answers of which there may be none, each with its own content codings.
    /// - Parameters:
    ///   - production: The answer that is held to be right.
    ///   - candidate: The other, or why there is none.
    ///   - authority: The Host of the request; links to it are no difference.
    ///   - request: The request, which may ask for the head alone, or for some content codings; `nil` where that is not known.
    /// - Returns: The differences, and whether content could be read.
    public func compare(
        _ production: RecordedResponse,
        with candidate: Result<RecordedResponse, ShadowFailure>,
        authority: String? = nil,
        request: RecordedRequest? = nil
    ) -> ComparedAnswers {
        switch candidate {
        case .success(let response):
            var first = prepared(production)
            var second = prepared(response)
            return compare(&first, &second, authority: authority, asked: AskedFor(request))
        case .failure(let failure):
            return outcome(String(production.status), failure.rawValue)
        }
    }

    /// The comparison of answers that do not differ.
    var nothing: ComparedAnswers { ComparedAnswers(list: DifferenceList(limit: limits.differences)) }

    /// The comparison of an answer with none.
    func outcome(_ production: String, _ candidate: String) -> ComparedAnswers {
        var comparison = nothing
        comparison.list.append(
            AnswerDifference(place: .outcome, kind: .outcome, production: production, candidate: candidate)
        )
        return comparison
    }

    /// Whether a field is compared.
    func isCompared(_ name: String) -> Bool {
        FieldRules.isCompared(name) && !isIgnored(name)
    }

    /// Whether the policy leaves a field out.
    func isIgnored(_ name: String) -> Bool { ignoredFields.contains(name) }
}

/// How two answers to one request differ.
public struct ComparedAnswers: Sendable {
    var list: DifferenceList
    /// Whether content was cut short and compared only as far as it was kept.
    public var contentIsCut = false
    /// Whether content could not be read, and so was not compared.
    public var contentIsUnread = false

    /// The differences, each place and kind once.
    public var differences: [AnswerDifference] { list.differences }
}

/// Content freed of a coding.
public struct FreedContent: Sendable, Hashable {
    /// What came out, from the beginning.
    public let octets: [UInt8]
    /// Whether that is all; otherwise more would have come out than was allowed.
    public let isWhole: Bool

    /// Makes a content of its parts.
    public init(_ octets: [UInt8], isWhole: Bool = true) {
        self.octets = octets
        self.isWhole = isWhole
    }
}

/// Takes a content coding off octets, up to `limit` of them; `nil` when the coding is unknown, or the octets are none of it, or
/// end before it does.
public typealias ContentDecoder = @Sendable (_ coding: String, _ octets: [UInt8], _ limit: Int) -> FreedContent?
