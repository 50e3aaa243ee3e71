// Wingmirror · Apache-2.0
// Basic authentication: RFC 7617.

import OctetText

/// The credentials that open the guarded endpoints; with none configured, only loopback does.
public struct AdminCredentials: Sendable, Equatable {
    /// The most credentials of either kind, so that each request costs a bounded time.
    public static let limit = 256

    private let basic: [[UInt8]]
    private let bearer: [[UInt8]]

    /// No credentials.
    public static let none = AdminCredentials(basicPairs: [], bearerTokens: [])

    /// Takes `user:password` pairs and bearer tokens.
    public init(basicPairs: [String], bearerTokens: [String]) {
        basic = basicPairs.map { Array($0.utf8) }
        bearer = bearerTokens.map { Array($0.utf8) }
    }

    /// Whether any are configured.
    public var isEmpty: Bool { basic.isEmpty && bearer.isEmpty }

    /// What a 401 offers, for the WWW-Authenticate field.
    var challenges: [String] {
        var challenges: [String] = []
        if !basic.isEmpty {
            challenges.append("Basic realm=\"wingmirror\", charset=\"UTF-8\"")
        }
        if !bearer.isEmpty {
            challenges.append(AuthorizationField.bearerChallenge)
        }
        return challenges
    }

    /// Whether the value of an Authorization field opens the endpoints.
    func admit(_ authorization: String?) -> Bool {
        guard let field = AuthorizationField(authorization) else { return false }
        if let token = field.bearerToken { return bearer.containsInConstantTime(Array(token.utf8)) }
        guard field.scheme == "basic" else { return false }
        return Base64Text.octets(field.credentials.utf8).map(basic.containsInConstantTime) ?? false
    }
}

extension [[UInt8]] {
    /// Whether one element equals `candidate`, in a time that depends only on the lengths.
    fileprivate func containsInConstantTime(_ candidate: [UInt8]) -> Bool {
        var found = false
        for element in self {
            // Both sides are always evaluated, so that the position of a match does not show.
            let matches = element.equalsInConstantTime(candidate)
            found = found || matches
        }
        return found
    }
}

extension [UInt8] {
    /// Whether the octets are the same, looking at each of them even after a difference.
    fileprivate func equalsInConstantTime(_ other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(self, other) {
            difference |= left ^ right
        }
        return difference == 0
    }
}
