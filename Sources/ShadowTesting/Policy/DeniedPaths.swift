// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// Paths that are not mirrored although their method is safe, because a GET of them changes something.
///
/// **The default list** is of words that stand as a whole segment anywhere in a path, or of two segments in a row:
/// the end of a session (`logout`), the end of a subscription (`unsubscribe`), links that work once (`reset-password`,
/// `verify-email`, `invitation/accept`), the steps of a login (`oauth2`, `saml`, `callback`), writing that is dressed
/// as reading (`delete`, `cancel`, `cart/add`), and what other systems call to tell something (`webhook`). Health probes
/// are not on it: they are reads, and load balancers send them to ports without routes.
///
/// **How a segment is read.** Percent-encoding is taken off once, a decoded slash and a backslash separate too, letters
/// lose their case. For the default list hyphens and underscores are left out, and the segment ends at a full stop or
/// semicolon: `Sign-Out`, `sign_out`, `signout.php` and `signout;jsessionid=1` are one word. A policy's own prefixes are
/// compared segment by segment, up to a semicolon. Empty segments and `.` count for nothing. A path with `..` is denied
/// whatever it says, since what it means is for the server to decide.
///
/// **Verbs within a segment.** Few words say so plainly that something is changed that they count as the first or last part of a
/// segment of up to three parts too, parted by hyphens, underscores and capitals: `cancelOrder`, `bulk-delete`,
/// `remove_item`. `/orders/cancelled`, `/how-to-cancel-an-order` and `delete-icon.svg` have none. The ends of a session count
/// behind any number of parts.
///
/// **Queries.** The same words deny as the value of a parameter that names an operation (`action`, `do`, `op`, `cmd`, `method`, …)
/// and, whole, as the name of one: `?add-to-cart=17`, `?delete=true`, `?logout`. The second of two words counts there behind a path
/// that ends with the first: `/cart?action=add`, `/coupon?apply=SPRING`. A policy's own names deny whatever the value is; they are
/// compared decoded and without regard to the case of ASCII letters.
///
/// Texts are compared by hash: a collision could only deny a path too many.
struct DeniedPaths: Sendable {
    private let table: HashMasks
    /// The words with which pairs begin, so that hardly any two segments need be looked up together.
    private let pairStarts: HashMasks
    private let verbs: HashMasks
    private let ends: HashMasks
    private let operations: HashMasks
    private let operationParameters: HashMasks
    private let hasPrefixes: Bool
    /// The policies' own names of parameters.
    private let parameters: HashMasks
    private let hasParameters: Bool
    private let graphQL = SegmentHash(word: "graphql")
    private let graphQLShort = SegmentHash(word: "gql")

    static let words = [
        "logout", "logoff", "signout", "signoff", "endsession", "revoke",
        "unsubscribe", "optout",
        "activate", "activation", "confirm", "confirmation", "verify", "verification", "redeem",
        "confirmemail", "emailconfirmation", "verifyemail", "emailverification",
        "resetpassword", "passwordreset", "forgotpassword", "magiclink", "acceptinvite", "acceptinvitation",
        "oauth", "oauth2", "callback", "oidc", "saml", "saml2", "sso", "signinoidc", "authorize",
        "delete", "destroy", "remove", "purge",
        "webhook", "webhooks", "ipn",
        "cancel", "cancellation", "approve", "reject", "upvote", "downvote", "unfollow",
        "shutdown", "additem", "additems",
        "addtocart", "addtobasket", "addtobag", "addtowishlist", "emptycart", "clearcart", "placeorder", "buynow",
    ]

    static let pairs = [
        ("password", "reset"), ("password", "forgot"), ("password", "edit"), ("passwords", "edit"),
        ("invite", "accept"), ("invitation", "accept"), ("invitations", "accept"),
        ("session", "end"), ("sessions", "end"),
        ("account", "close"), ("accounts", "close"),
        ("cart", "add"), ("cart", "update"), ("cart", "clear"), ("cart", "empty"), ("cart", "apply"),
        ("basket", "add"), ("basket", "update"), ("basket", "clear"), ("basket", "empty"), ("basket", "apply"),
        ("bag", "add"), ("bag", "update"), ("wishlist", "add"), ("favourites", "add"), ("favorites", "add"),
        ("coupon", "apply"), ("voucher", "apply"), ("order", "place"), ("orders", "place"),
    ]

    /// Words that count as a part of a segment too.
    static let verbs = [
        "delete", "destroy", "remove", "purge", "cancel", "approve", "reject", "revoke", "unsubscribe", "upvote",
        "downvote",
        "unfollow", "shutdown",
    ]

    /// Words for the end of a session, which count behind any number of parts.
    static let ends = ["logout", "logoff", "signout", "signoff"]

    /// What may be the value of a parameter that names an operation, or the name of one, beside the verbs and ends.
    static let operations = [
        "removeitem", "emptycart", "clearcart", "placeorder", "buynow", "addtocart", "addtobasket", "addtobag",
        "addtowishlist", "removecoupon", "applycoupon", "endsession", "bulkdelete", "massdelete",
    ]

    /// The names of parameters that name an operation.
    static let operationParameters = [
        "action", "do", "op", "operation", "cmd", "command", "method", "task", "wcajax", "ajaxaction",
    ]

    /// Makes the list of the defaults and each policy's own prefixes and names of parameters, policies in the order of the plan.
    init(_ prefixes: [[String]], parameters: [[String]] = []) {
        var masks: [UInt64: UInt32] = [:]
        for word in Self.words { masks[SegmentHash(word: word).value] = .max }
        for (first, second) in Self.pairs {
            masks[SegmentHash(word: first).followed(by: SegmentHash(word: second)).value] = .max
        }
        for (policy, prefixes) in prefixes.enumerated() {
            for prefix in prefixes { masks[Self.prefixHash(prefix), default: 0] |= 1 << UInt32(policy) }
        }
        table = HashMasks(masks)
        pairStarts = HashMasks(
            Dictionary(Self.pairs.map { (SegmentHash(word: $0.0).value, .max) }) { first, _ in first }
        )
        verbs = Self.table(Self.verbs)
        ends = Self.table(Self.ends)
        operations = Self.table(Self.verbs + Self.ends + Self.operations)
        operationParameters = Self.table(Self.operationParameters)
        hasPrefixes = prefixes.contains { !$0.isEmpty }
        var names: [UInt64: UInt32] = [:]
        for (policy, list) in parameters.enumerated() {
            for name in list {
                // As segments are read, which only lower letters of ASCII.
                var hash = SegmentHash()
                for octet in name.utf8 { hash.combine(ASCII.lowered(octet)) }
                names[hash.value, default: 0] |= 1 << UInt32(policy)
            }
        }
        self.parameters = HashMasks(names)
        hasParameters = !names.isEmpty
    }

    private static func table(_ words: [String]) -> HashMasks {
        HashMasks(Dictionary(words.map { (SegmentHash(word: $0).value, .max) }) { first, _ in first })
    }

    /// The hash that a path has after the segments of `prefix`.
    private static func prefixHash(_ prefix: String) -> UInt64 {
        let octets = Array(prefix.utf8)
        var walk = PathWalk(octets.span, octets.indices, keepsPrefix: true)
        while walk.next() {}
        return walk.prefix.value
    }

    /// What is to be known of a path.
    struct Finding {
        /// The policies that deny it.
        var policies: UInt32 = 0
        /// Whether a segment says that this is a GraphQL endpoint.
        var isGraphQL = false
        /// The last segment.
        var last = SegmentHash()
    }

    /// Looks a path up.
    func find(_ octets: Span<UInt8>, _ path: Range<Int>) -> Finding {
        var finding = Finding()
        var walk = PathWalk(octets, path, keepsPrefix: hasPrefixes)
        if hasPrefixes { finding.policies |= table[walk.prefix.value] }
        var before = SegmentHash()
        while finding.policies != .max, walk.next() {
            if walk.isClimbing { finding.policies = .max }
            finding.policies |= table[walk.word.value]
            if walk.parts.count > 1, isChange(walk.parts) { finding.policies = .max }
            if pairStarts[before.value] != 0 { finding.policies |= table[before.followed(by: walk.word).value] }
            if hasPrefixes { finding.policies |= table[walk.prefix.value] }
            if walk.word == graphQL || walk.word == graphQLShort { finding.isGraphQL = true }
            before = walk.word
        }
        finding.last = before
        return finding
    }

    /// Whether a segment, or a value, of several parts says that something is changed.
    private func isChange(_ parts: SegmentParts) -> Bool {
        if ends[parts.last.value] != 0 { return true }
        guard parts.count <= SegmentParts.most else { return false }
        return verbs[parts.first.value] != 0 || verbs[parts.last.value] != 0
    }

    /// The policies that deny a query behind a path that ends with `last`: all where a parameter says that something is changed.
    func policies(denying query: Range<Int>, of octets: Span<UInt8>, behind last: SegmentHash) -> UInt32 {
        let beginsPair = pairStarts[last.value] != 0
        var parameters = QueryParameters(octets, query)
        var policies: UInt32 = 0
        while let parameter = parameters.next() {
            let name = Self.segment(octets, parameter.name, keepsText: hasParameters)
            if operations[name.word.value] != 0 || beginsPair && isPair(last, name.word) { return .max }
            if hasParameters { policies |= self.parameters[name.text.value] }
            guard let value = parameter.value, operationParameters[name.word.value] != 0 else { continue }
            let segment = Self.segment(octets, value)
            if operations[segment.word.value] != 0 || segment.parts.count > 1 && isChange(segment.parts) {
                return .max
            }
            if beginsPair, isPair(last, segment.word) { return .max }
        }
        return policies
    }

    private func isPair(_ first: SegmentHash, _ second: SegmentHash) -> Bool {
        table[first.followed(by: second).value] != 0
    }

    private static func segment(_ octets: Span<UInt8>, _ range: Range<Int>, keepsText: Bool = false) -> Segment {
        var segment = Segment()
        var decoder = PercentDecoder(octets, range, isForm: true)
        while let octet = decoder.next() { segment.take(octet, keepsText: keepsText) }
        return segment
    }
}

/// The parts of a segment that hyphens, underscores and capitals divide.
private struct SegmentParts {
    /// More say what a page is about, and not what it does.
    static let most = 3

    private(set) var count = 1
    private(set) var first = SegmentHash()
    /// The part that was begun last; kept from the second one on.
    private(set) var last = SegmentHash()

    /// A part ended; so far the segment is `word`.
    mutating func ended(_ word: SegmentHash) {
        if count == 1 { first = word }
        count += 1
        last = SegmentHash()
    }

    mutating func take(_ octet: UInt8) {
        if count > 1 { last.combine(octet) }
    }
}

/// A hash of segments (FNV-1a of 64 bits).
struct SegmentHash: Equatable {
    private(set) var value = FNV1a.start

    init() {}

    init(word: String) {
        for octet in word.utf8 { combine(octet) }
    }

    mutating func combine(_ octet: UInt8) {
        value = FNV1a.step(value, octet)
    }

    /// The hash of two segments in a row.
    func followed(by next: SegmentHash) -> SegmentHash {
        var hash = self
        // Turned first, so that the order of the two matters.
        hash.value = (value << 32 | value >> 32) ^ next.value
        hash.combine(UInt8(ascii: "/"))
        return hash
    }
}

/// Goes through the segments of a path as `DeniedPaths` reads them.
///
/// Without prefixes to compare, octets are taken as they are up to the first segment with one that stands for another, ends
/// the segment early or is a full stop; from the beginning of that segment on they are decoded. Most paths have none.
private struct PathWalk: ~Escapable {
    private let octets: Span<UInt8>
    private let end: Int
    private var index: Int
    /// Reads the rest of the path, once something in it must be decoded.
    private var decoder: PercentDecoder
    private var isDecoding: Bool
    private var isAtEnd = false
    private let keepsPrefix: Bool
    /// The segment as a word of the default list.
    private(set) var word = SegmentHash()
    /// The parts of the segment.
    private(set) var parts = SegmentParts()
    /// Everything up to and with this segment, as a policy's prefix, if these are asked for.
    private(set) var prefix = SegmentHash()
    /// Whether the segment is `..`.
    private(set) var isClimbing = false

    @_lifetime(copy octets)
    init(_ octets: Span<UInt8>, _ path: Range<Int>, keepsPrefix: Bool) {
        self.octets = octets
        self.keepsPrefix = keepsPrefix
        index = path.lowerBound
        end = path.upperBound
        decoder = PercentDecoder(octets, path)
        isDecoding = keepsPrefix
        // A root that no word can be.
        prefix.combine(UInt8(ascii: "/"))
    }

    /// Reads the next segment that says something.
    mutating func next() -> Bool {
        while !isAtEnd {
            if isDecoding ? readDecodedSegment() : readPlainSegment() { return true }
        }
        return false
    }

    /// Reads up to the next slash; goes over to decoding when that is not all there is to it.
    private mutating func readPlainSegment() -> Bool {
        // Local, so that they stay in registers.
        let start = index
        let end = end
        var place = start
        var hash = SegmentHash()
        var parts = SegmentParts()
        while place < end {
            let octet = octets[place]
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                hash.combine(octet)
                parts.take(octet)
            case UInt8(ascii: "-"), UInt8(ascii: "_"): parts.ended(hash)
            case UInt8(ascii: "/"):
                index = place + 1
                word = hash
                self.parts = parts
                return place > start
            case UInt8(ascii: "%"), UInt8(ascii: "\\"), UInt8(ascii: ";"), UInt8(ascii: "."):
                decoder = PercentDecoder(octets, start..<end)
                isDecoding = true
                return false
            default:
                if place > start, Segment.begins(octet, after: octets[place - 1]) { parts.ended(hash) }
                hash.combine(ASCII.lowered(octet))
                parts.take(ASCII.lowered(octet))
            }
            place += 1
        }
        isAtEnd = true
        word = hash
        self.parts = parts
        return place > start
    }

    /// Reads up to the next separator, decoding.
    private mutating func readDecodedSegment() -> Bool {
        var segment = Segment()
        var isOver = false
        while true {
            guard let octet = decoder.next() else {
                isAtEnd = true
                break
            }
            if octet == UInt8(ascii: "/") || octet == UInt8(ascii: "\\") { break }
            if octet == UInt8(ascii: ";") { isOver = true }
            if !isOver { segment.take(octet, keepsText: keepsPrefix) }
        }
        return took(segment)
    }

    /// Notes a segment that has been read; says whether it is more than nothing or a full stop.
    private mutating func took(_ segment: Segment) -> Bool {
        guard segment.count > segment.stops || segment.count > 1 else { return false }
        isClimbing = segment.count == 2 && segment.stops == 2
        word = segment.word
        // A name with an extension is mostly that of a file: `delete-icon.svg`.
        parts = segment.stops == 0 ? segment.parts : SegmentParts()
        if keepsPrefix { prefix = prefix.followed(by: segment.text) }
        return true
    }
}

/// What is known of one segment of a path.
private struct Segment {
    /// The octets without hyphens and underscores, up to a full stop.
    var word = SegmentHash()
    /// All octets, if they are asked for.
    var text = SegmentHash()
    /// How many octets there are.
    var count = 0
    /// How many of them are full stops.
    var stops = 0
    /// The parts of the word.
    var parts = SegmentParts()
    private var isWordOver = false
    private var before: UInt8 = 0

    /// Whether a capital begins a part behind another letter or a digit.
    static func begins(_ octet: UInt8, after before: UInt8) -> Bool {
        guard UInt8(ascii: "A")...UInt8(ascii: "Z") ~= octet else { return false }
        return UInt8(ascii: "a")...UInt8(ascii: "z") ~= before || UInt8(ascii: "0")...UInt8(ascii: "9") ~= before
    }

    mutating func take(_ octet: UInt8, keepsText: Bool) {
        let lowered = ASCII.lowered(octet)
        count += 1
        if keepsText { text.combine(lowered) }
        if octet == UInt8(ascii: ".") {
            stops += 1
            isWordOver = isWordOver || count > 1
        }
        guard !isWordOver else { return }
        defer { before = octet }
        guard octet != UInt8(ascii: "-"), octet != UInt8(ascii: "_") else { return parts.ended(word) }
        if Self.begins(octet, after: before) { parts.ended(word) }
        word.combine(lowered)
        parts.take(lowered)
    }
}

/// A small table from hashes to masks of policies, read without allocation.
private struct HashMasks: Sendable {
    /// Open addressing with linear probing; a mask of 0 marks a free place.
    ///
    /// A power of two of places, of which less than half are taken.
    private let entries: [(hash: UInt64, mask: UInt32)]

    init(_ masks: [UInt64: UInt32]) {
        var count = 64
        while count < masks.count * 2 + 1 { count *= 2 }
        var entries = [(hash: UInt64, mask: UInt32)](repeating: (0, 0), count: count)
        for (hash, mask) in masks {
            var place = Self.place(of: hash, count)
            while entries[place].mask != 0 { place = (place + 1) & (count - 1) }
            entries[place] = (hash, mask)
        }
        self.entries = entries
    }

    private static func place(of hash: UInt64, _ count: Int) -> Int {
        Int(truncatingIfNeeded: hash ^ hash >> 32) & (count - 1)
    }

    /// The policies of a hash.
    subscript(hash: UInt64) -> UInt32 {
        var place = Self.place(of: hash, entries.count)
        while entries[place].mask != 0 {
            if entries[place].hash == hash { return entries[place].mask }
            place = (place + 1) & (entries.count - 1)
        }
        return 0
    }
}
