// Wingmirror · Apache-2.0

internal import OctetText

/// Octets in the index's arena.
struct OctetRange: Sendable, Hashable {
    let start: UInt32
    let count: UInt32

    static let empty = OctetRange(start: 0, count: 0)

    var indices: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// How a path is compared.
enum PathTest: UInt8, Sendable {
    case any
    case exact
    case prefix
    case segmentPrefix
    case regex
}

/// A route as the lookup sees it.
struct LookupRoute: Sendable {
    let gateway: Int32
    let test: PathTest
    let ignoresCase: Bool
    let path: OctetRange
    let pattern: Int32
    let firstCondition: UInt32
    let conditionCount: UInt32
}

/// What a condition looks at.
enum ConditionSubject: Sendable {
    case method
    case scheme
    case authority
    case target
    case parameter
    /// A field that clients decide.
    case field
    /// A field whose lines the proxy joins on arrival, whatever its version.
    case joinedField
    /// `x-forwarded-proto`, which the proxy sets unless trusted proxies do.
    case forwardedProto
    /// `connection` and `upgrade`, which only upgrade requests keep.
    case upgradeField
    /// `te`, of which only `trailers` is kept, unless the request asks for another protocol.
    case transferCodings
    /// `referer`, of which the proxy takes out what is no URL.
    case referer
    /// A field that the proxy removes.
    case removedField
    /// A field that the proxy sets to something the request does not show.
    case unseenField
    /// A claim of a verified token, which the request does not show.
    case claim
}

/// How a value is compared.
enum ValueTest: UInt8, Sendable {
    case present
    case exact
    case prefix
    case regex
}

/// One condition besides the path.
struct LookupCondition: Sendable, Equatable {
    let subject: ConditionSubject
    let test: ValueTest
    /// Whether the condition must not hold.
    let isNegated: Bool
    /// The name, in lower case for fields.
    let name: OctetRange
    let value: OctetRange
    let pattern: Int32
}

/// A virtual host: half a cache line, of which there may be thousands.
struct LookupHost: Sendable {
    let name: OctetRange
    let requiresTLS: Bool
    let routes: HostRoutes
}

/// The routes of a virtual host; everything is a place in the arrays of `LookupIndex`.
struct HostRoutes: Sendable {
    /// All of them in match order, in `hostRoutes`.
    let first: UInt32
    let count: UInt32
    /// Those that no path value leads to, in `candidates`: few regular expressions, conditions on every path, short hosts.
    var firstScanned: UInt32 = 0
    var scannedCount: UInt32 = 0
    /// How the others are found; -1 where all are scanned.
    var paths: Int32 = -1
}

/// Where a host's routes are found by path; everything is a place in the arrays of `LookupIndex`.
struct PathIndex: Sendable {
    var firstSlot: UInt32 = 0
    /// One less than the number of slots, a power of two; `UInt32.max` without slots.
    var slotMask: UInt32 = .max
    var firstLength: UInt32 = 0
    var lengthCount: UInt32 = 0
    /// Whether some values are compared without case.
    var hasFolded = false
    /// The number of the set of the host's regular expressions; -1 where each is scanned.
    var patternSet: Int32 = -1
}

/// A route that may take a request, with its position among those of its host.
///
/// It holds what is asked of the route, so that a host's candidates are read in one go.
struct RouteCandidate: Sendable {
    let position: UInt32
    let number: Int32
    let route: LookupRoute
}

/// The routes of a host whose paths are compared with regular expressions, which are asked in one pass.
struct PatternSet: Sendable {
    let patterns: RegularExpressionSet
    /// The candidates, ascending, in the order of the patterns.
    let firstCandidate: UInt32
    let count: UInt32
}

/// The candidates of one path value.
struct PathSlot: Sendable {
    var hash: UInt64 = 0
    var first: UInt32 = 0
    /// 0 for an empty slot.
    var count: UInt32 = 0
}

/// The virtual host of a name, or of a wildcard's suffix.
struct HostSlot: Sendable {
    /// A part of the hash, in which the lowest bit tells wildcards apart.
    var key: UInt32 = 0
    /// -1 for an empty slot.
    var host: Int32 = -1

    static func key(_ hash: UInt64, isWildcard: Bool) -> UInt32 {
        UInt32(truncatingIfNeeded: hash >> 32) & ~1 | (isWildcard ? 1 : 0)
    }
}

/// The virtual hosts of one listener, or of one TLS server.
struct LookupTable: Sendable {
    let gateway: Int32
    let isTLS: Bool
    var hostRange: Range<Int>
    /// The virtual host of `*`; -1 without one.
    var universalHost: Int32 = -1
    var firstSlot = 0
    var slotMask = 0
    /// One bit for each length that a wildcard's suffix has.
    var suffixLengths = LengthSet()
}

/// A set of lengths from 0 to 255.
struct LengthSet: Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    func contains(_ length: Int) -> Bool {
        let bit = UInt64(1) << UInt64(length & 63)
        return switch length >> 6 {
        case 0: words.0 & bit != 0
        case 1: words.1 & bit != 0
        case 2: words.2 & bit != 0
        default: words.3 & bit != 0
        }
    }

    mutating func insert(_ length: Int) {
        let bit = UInt64(1) << UInt64(length & 63)
        switch length >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }
}

/// What listens on a pod port.
struct LookupListener: Sendable {
    /// A server behind TLS.
    struct TLSServer: Sendable {
        /// The names asked for, `*.` before those of any depth; none takes every name.
        let names: [[UInt8]]
        /// -1 where TLS carries no HTTP routing.
        let table: Int32
    }

    let podPort: Int
    /// The port numbers of the servers.
    var serverPorts: [Int] = []
    var isRefused = false
    /// The table of plain HTTP; -1 without one.
    var plainTable: Int32 = -1
    var tls: [TLSServer] = []

    init(podPort: Int) {
        self.podPort = podPort
    }

    /// The TLS server for a name: exact, then the longest wildcard, then the one that takes every name.
    func tlsServer(_ name: Span<UInt8>) -> TLSServer? {
        var best: TLSServer?
        var bestCount = -1
        for server in tls {
            if server.names.isEmpty, bestCount < 0 {
                best = server
                bestCount = 0
            }
            for candidate in server.names {
                let score = Self.score(candidate.span, for: name)
                if score > bestCount {
                    best = server
                    bestCount = score
                }
            }
        }
        return best
    }

    /// How well a name fits: 0 not at all, else the more the more of it is given.
    private static func score(_ candidate: Span<UInt8>, for name: Span<UInt8>) -> Int {
        let isWildcard = candidate.count > 0 && candidate[0] == UInt8(ascii: "*")
        let fixed = isWildcard ? candidate.count - 1 : candidate.count
        guard isWildcard ? fixed < name.count : fixed == name.count else { return -1 }
        for offset in 1..<(fixed + 1) {
            guard candidate[candidate.count - offset] == OctetHash.folded(name[name.count - offset]) else { return -1 }
        }
        return isWildcard ? fixed : fixed + 1
    }
}

/// Everything that a lookup reads: flat arrays of plain values, made once and never changed.
struct LookupIndex: Sendable {
    var arena: [UInt8] = []
    var listeners: [LookupListener] = []
    var tables: [LookupTable] = []
    var hosts: [LookupHost] = []
    var hostSlots: [HostSlot] = []
    /// Route numbers, host after host, in match order.
    var hostRoutes: [Int32] = []
    var routes: [LookupRoute] = []
    var conditions: [LookupCondition] = []
    var patterns: [RegularExpression] = []
    var patternSets: [PatternSet] = []
    var pathSlots: [PathSlot] = []
    var pathIndexes: [PathIndex] = []
    /// Host after host: the scanned ones, those of pattern sets and those of the path slots.
    var candidates: [RouteCandidate] = []
    /// The distinct lengths of path values, ascending, host after host.
    var lengths: [UInt32] = []
}

/// The hash of names and path values (FNV-1a), taken one octet at a time so that all prefixes are hashed in one pass.
enum OctetHash {
    static var start: UInt64 { FNV1a.start }
    /// What hashes of values without case begin with, so that they lie apart.
    static let foldedStart: UInt64 = 0x8422_2325_CBF2_9CE4

    static func step(_ hash: UInt64, _ octet: UInt8) -> UInt64 {
        FNV1a.step(hash, octet)
    }

    /// The slot of a hash in a table of `mask + 1` slots.
    static func slot(_ hash: UInt64, mask: Int) -> Int {
        // The low bits of FNV-1a depend on few octets; folding brings the high ones in.
        Int(truncatingIfNeeded: (hash ^ hash >> 29) &* 0x9E37_79B9_7F4A_7C15 >> 24) & mask
    }

    /// An ASCII letter in lower case.
    static func folded(_ octet: UInt8) -> UInt8 {
        octet >= 0x41 && octet <= 0x5A ? octet | 0x20 : octet
    }
}
