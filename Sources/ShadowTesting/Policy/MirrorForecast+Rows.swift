// Wingmirror · Apache-2.0

public import TrafficModel

extension MirrorForecast {
    /// What one policy would do with the requests of one route.
    public struct Row: Sendable {
        /// The policy.
        public let policy: String
        /// The route; empty parts for requests that no route took.
        public let route: RouteName
        /// How many copies are made on average of a mirrored request that may be repeated, and of another.
        private let copiesPerRequest: (safe: Double, other: Double)
        /// All copies of those that would be mirrored, and their octets.
        private var copies = (count: 0.0, octets: 0.0)

        /// Requests that the policy looked at.
        public internal(set) var requests = 0
        /// Those with a method that is not safe.
        public internal(set) var unsafeRequests = 0
        /// Those by method; `_OTHER` for what comes behind the first sixteen.
        public internal(set) var methods: [String: Int] = [:]
        /// Those that may not be mirrored, by reason.
        public internal(set) var filtered: [FilterReason: Int] = [:]
        /// Those that may be and are outside the share.
        public internal(set) var notSampled = 0
        /// Those that would be mirrored.
        public internal(set) var sampled = 0
        /// Values taken out of these, or replaced.
        public internal(set) var redactions = 0
        /// Octets of one copy of each of these, head and content.
        public internal(set) var octets = 0
        /// Requests that no filter holds back, by the key that they are sampled by.
        public internal(set) var keys: [SamplingKey: Int] = [:]
        /// Those whose copies would lack credentials that the client sent.
        public internal(set) var withoutCredentials = 0
        /// The share that the policy asks for, 0 to 1.
        public let share: Double
        /// Whether answers are judged against a baseline's.
        public let hasBaseline: Bool
        private var keyHashes: Set<UInt64> = []

        /// Those that would be mirrored, by octets of content: as many as `SizeClass.allCases`.
        public internal(set) var sizes = [Int](repeating: 0, count: SizeClass.allCases.count)

        init(policy: MirrorPolicy, route: RouteName) {
            self.policy = policy.name
            self.route = route
            copiesPerRequest = policy.copiesPerRequest
            share = policy.percent / 100
            hasBaseline = policy.baseline != nil
        }

        /// Requests that no filter holds back.
        public var eligible: Int { notSampled + sampled }

        /// How many of the requests the share stands for.
        public var expected: Double { Double(eligible) * share }

        /// Different keys among them, as far as they are counted.
        public var distinctKeys: Int { keyHashes.count }

        /// How many different keys are counted.
        public static let keyLimit = 10_000

        /// Whether so few or so many are sampled that chance does not explain it, if each request stood for itself.
        public var isLumped: Bool {
            let deviation = (expected * (1 - share)).squareRoot()
            return (Double(sampled) - expected).magnitude > max(3 * deviation, 0.5) || sampled == 0 && expected >= 1
        }

        /// The share of requests with an unsafe method, 0 to 1.
        public var unsafeShare: Double { requests == 0 ? 0 : Double(unsafeRequests) / Double(requests) }

        /// Copies a second over all targets, if the exchanges were those of `seconds`.
        public func copiesPerSecond(over seconds: Double) -> Double {
            seconds > 0 ? copies.count / seconds : 0
        }

        /// Octets a second over all targets, if the exchanges were those of `seconds`.
        public func octetsPerSecond(over seconds: Double) -> Double {
            seconds > 0 ? copies.octets / seconds : 0
        }

        // MARK: - Events

        private static let methodLimit = 16

        mutating func requestSeen(_ request: RecordedRequest) {
            requests += 1
            if !SafeMethods.contains(request.method) { unsafeRequests += 1 }
            let isKnown = methods[request.method] != nil || methods.count < Self.methodLimit
            methods[isKnown ? request.method : "_OTHER", default: 0] += 1
        }

        mutating func keySeen(_ key: SamplingKey, hash: UInt64) {
            keys[key, default: 0] += 1
            if keyHashes.count < Self.keyLimit { keyHashes.insert(hash) }
        }

        mutating func requestSampled(_ request: ShadowRequest) {
            sampled += 1
            redactions += request.redactions
            octets += request.octetCount
            let each = SafeMethods.contains(request.method) ? copiesPerRequest.safe : copiesPerRequest.other
            copies.count += each
            copies.octets += each * Double(request.octetCount)
            sizes[SizeClass(octets: request.content.count).rawValue] += 1
        }
    }

    /// Sizes of content that are told apart.
    public enum SizeClass: Int, Sendable, CaseIterable {
        /// No content.
        case none
        /// Up to 1 KiB.
        case small
        /// Up to 16 KiB.
        case medium
        /// Up to 256 KiB.
        case large
        /// More.
        case huge

        init(octets: Int) {
            switch octets {
            case ...0: self = .none
            case ...(1 << 10): self = .small
            case ...(16 << 10): self = .medium
            case ...(256 << 10): self = .large
            default: self = .huge
            }
        }

        /// The heading of a column.
        public var label: String {
            switch self {
            case .none: "0"
            case .small: "≤1KiB"
            case .medium: "≤16KiB"
            case .large: "≤256KiB"
            case .huge: ">256KiB"
            }
        }
    }
}

extension ShadowRequest {
    /// The octets of the request as HTTP/1.1 sends it.
    var octetCount: Int {
        let head = fields.reduce(method.utf8.count + target.utf8.count + 14) { octets, field in
            octets + field.name.utf8.count + field.value.utf8.count + 4
        }
        return head + content.count
    }
}
