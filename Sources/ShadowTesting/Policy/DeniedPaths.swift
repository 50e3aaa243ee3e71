// Wingmirror · Apache-2.0

internal import HTTPMessages

/// Paths that are not mirrored although their method is safe, because a GET of them changes something.
///
/// **The default list** is of words that stand as a whole segment anywhere in a path, or of two segments in a row:
/// the end of a session (`logout`), the end of a subscription (`unsubscribe`), links that work once (`reset-password`,
/// `verify-email`, `invitation/accept`), the steps of a login (`oauth2`, `saml`, `callback`), writing that is dressed
/// as reading (`delete`), and what other systems call to tell something (`webhook`). Health probes are not on it: they are
/// reads, and load balancers send them to ports without routes.
///
/// **How a segment is read.** Percent-encoding is taken off once, a decoded slash and a backslash separate too, letters
/// lose their case. For the default list hyphens and underscores are left out, and the segment ends at a full stop or
/// semicolon: `Sign-Out`, `sign_out`, `signout.php` and `signout;jsessionid=1` are one word. A policy's own prefixes are
/// compared segment by segment, up to a semicolon. Empty segments and `.` count for nothing. A path with `..` is denied
/// whatever it says, since what it means is for the server to decide.
///
/// Texts are compared by hash: a collision could only deny a path too many.
struct DeniedPaths: Sendable {
    private let table: HashMasks

    static let words = [
        "logout", "logoff", "signout", "signoff", "endsession", "revoke",
        "unsubscribe", "optout",
        "activate", "activation", "confirm", "confirmation", "verify", "verification", "redeem",
        "confirmemail", "emailconfirmation", "verifyemail", "emailverification",
        "resetpassword", "passwordreset", "forgotpassword", "magiclink", "acceptinvite", "acceptinvitation",
        "oauth", "oauth2", "callback", "oidc", "saml", "saml2", "sso", "signinoidc", "authorize",
        "delete", "destroy", "remove", "purge",
        "webhook", "webhooks", "ipn",
    ]

    static let pairs = [
        ("password", "reset"), ("password", "forgot"), ("password", "edit"), ("passwords", "edit"),
        ("invite", "accept"), ("invitation", "accept"), ("invitations", "accept"),
        ("account", "close"), ("account", "cancel"), ("subscription", "cancel"), ("subscriptions", "cancel"),
    ]

    /// Makes the list of the defaults and each policy's own prefixes, policies in the order of the plan.
    init(_ prefixes: [[String]]) {
        var masks: [UInt64: UInt32] = [:]
        for word in Self.words { masks[SegmentHash(word: word).value] = .max }
        for (first, second) in Self.pairs {
            masks[SegmentHash(word: first).followed(by: SegmentHash(word: second)).value] = .max
        }
        for (policy, prefixes) in prefixes.enumerated() {
            for prefix in prefixes { masks[Self.prefixHash(prefix), default: 0] |= 1 << UInt32(policy) }
        }
        table = HashMasks(masks)
    }

    /// The hash that a path has after the segments of `prefix`.
    private static func prefixHash(_ prefix: String) -> UInt64 {
        let octets = Array(prefix.utf8)
        var walk = PathWalk(octets.span, octets.indices)
        while walk.next() {}
        return walk.prefix.value
    }

    /// What is to be known of a path.
    struct Finding {
        /// The policies that deny it.
        var policies: UInt32 = 0
        /// Whether a segment says that this is a GraphQL endpoint.
        var isGraphQL = false
    }

    /// Looks a path up.
    func find(_ octets: Span<UInt8>, _ path: Range<Int>) -> Finding {
        var finding = Finding()
        var walk = PathWalk(octets, path)
        finding.policies |= table[walk.prefix.value]
        while finding.policies != .max, walk.next() {
            if walk.isClimbing { finding.policies = .max }
            finding.policies |= table[walk.word.value] | table[walk.pair.value] | table[walk.prefix.value]
            if walk.word == Self.graphQL || walk.word == Self.graphQLShort { finding.isGraphQL = true }
        }
        return finding
    }

    private static let graphQL = SegmentHash(word: "graphql")
    private static let graphQLShort = SegmentHash(word: "gql")
}

/// A hash of segments (FNV-1a of 64 bits).
struct SegmentHash: Equatable {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    init() {}

    init(word: String) {
        for octet in word.utf8 { combine(octet) }
    }

    mutating func combine(_ octet: UInt8) {
        // The product is modulo 2⁶⁴, as the function is defined.
        value = (value ^ UInt64(octet)) &* 0x0000_0100_0000_01B3
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
private struct PathWalk: ~Escapable {
    private var decoder: PercentDecoder
    private var isAtEnd = false
    /// The segment as a word of the default list.
    private(set) var word = SegmentHash()
    /// The segment before and this one, as words.
    private(set) var pair = SegmentHash()
    /// Everything up to and with this segment, as a policy's prefix; a root that no word can be.
    private(set) var prefix = SegmentHash(word: "/")
    /// Whether the segment is `..`.
    private(set) var isClimbing = false

    @_lifetime(copy octets)
    init(_ octets: Span<UInt8>, _ path: Range<Int>) {
        decoder = PercentDecoder(octets, path)
    }

    /// Reads the next segment that says something.
    mutating func next() -> Bool {
        while !isAtEnd {
            let before = word
            if readSegment() {
                pair = before.followed(by: word)
                return true
            }
        }
        return false
    }

    /// Reads up to the next separator; says whether there was more than nothing or a full stop.
    private mutating func readSegment() -> Bool {
        var text = SegmentHash()
        var segmentWord = SegmentHash()
        var count = 0
        var stops = 0
        var isWordOver = false
        var isOver = false
        while true {
            guard let octet = decoder.next() else {
                isAtEnd = true
                break
            }
            if octet == UInt8(ascii: "/") || octet == UInt8(ascii: "\\") { break }
            if octet == UInt8(ascii: ";") { isOver = true }
            if isOver { continue }
            let lowered = OctetText.lowered(octet)
            count += 1
            text.combine(lowered)
            if octet == UInt8(ascii: ".") {
                stops += 1
                isWordOver = isWordOver || count > 1
            }
            if isWordOver || octet == UInt8(ascii: "-") || octet == UInt8(ascii: "_") { continue }
            segmentWord.combine(lowered)
        }
        guard count > 0, !(count == 1 && stops == 1) else { return false }
        isClimbing = count == 2 && stops == 2
        word = segmentWord
        prefix = prefix.followed(by: text)
        return true
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
