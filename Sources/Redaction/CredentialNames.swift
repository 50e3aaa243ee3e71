// Wingmirror · Apache-2.0

/// The names under which credentials are known to travel, and what proxies assert of a user.
///
/// There is one set of rules for headers, parameters of queries and paths, parts of forms and members of JSON: a name that is a
/// secret's in one place is one in the others. What bears such a name is not sent to staging unless a policy says so, and not
/// shown. A shadow request with a user's credentials acts as that user at everything that staging shares with production: a
/// name too many costs an answer that differs; a name too few can cost an account. So names are also told by their words
/// and by how they end. `code` and `state` are not among them: they name too much else, and logins, where they are secrets, are
/// on the list of paths.
package enum CredentialNames {
    /// Whether a name is that of a credential; decoded, and in the case in which it was sent, as `userPin` has two parts and
    /// `userpin` one.
    package static func contains(_ name: String) -> Bool {
        guard name.utf8.count <= lengthLimit else { return true }
        let joined = hyphenated(name.utf8, splitsCase: false)
        let split = hyphenated(name.utf8, splitsCase: true)
        let forms = joined == split ? [joined] : [joined, split]
        // Most names have no numbers, and are looked at once.
        let plain = forms.map(withoutCounts).filter { !forms.contains($0) }
        if (forms + plain).contains(where: { harmless.contains(text($0)) }) { return false }
        if forms.contains(where: { names.contains(text($0)) || isCredential($0) }) { return true }
        // Whole names mean something else with a number: `policy1`, `sign-v2`.
        return plain.contains { text($0) == "key" || isCredential($0) }
    }

    /// No name that means anything is longer; what is said by one that is may be anything.
    private static let lengthLimit = 256

    /// Whether a name with hyphens between its parts is that of a credential by what is in it.
    private static func isCredential(_ octets: [UInt8]) -> Bool {
        let name = text(octets)
        if words.contains(where: { stands($0, in: octets) }) || suffixes.contains(where: name.hasSuffix)
            || prefixes.contains(where: name.hasPrefix)
        {
            return true
        }
        let divided = name.split(separator: "-").map(String.init)
        if divided.contains(where: parts.contains) { return true }
        return divided.last { !additions.contains($0) && !$0.utf8.allSatisfy(isDigit) }.map(lastParts.contains) ?? false
    }

    /// A name in lower case with single hyphens between its parts and none around it, without a leading `x-`.
    private static func hyphenated(_ name: String.UTF8View, splitsCase: Bool) -> [UInt8] {
        let name = Array(name)
        var result: [UInt8] = []
        for (index, octet) in name.enumerated() {
            let isHyphen = separators.contains(octet)
            let begins =
                splitsCase && index > 0 && isUpper(octet)
                && (!isUpper(name[index - 1]) || index + 1 < name.count && isLower(name[index + 1]))
            if isHyphen || begins, let last = result.last, last != hyphen { result.append(hyphen) }
            if !isHyphen { result.append(isUpper(octet) ? octet | 0x20 : octet) }
        }
        if result.last == hyphen { result.removeLast() }
        if result.starts(with: "x-".utf8) { result.removeFirst(2) }
        return result
    }

    /// A name as it is of one thing, without numbers and versions: `pwd2`, `api-key-2`, `api-key-v2` and `session-cookies` of
    /// `pwd`, `api-key`, `api-key` and `session-cookie`.
    private static func withoutCounts(_ name: [UInt8]) -> [UInt8] {
        let divided = name.split(separator: hyphen)
        var parts = divided.map { part -> ArraySlice<UInt8> in
            var part = part
            while part.count > 1, let last = part.last, isDigit(last) { part.removeLast() }
            // A name of that word alone is of a list of anything.
            return divided.count > 1 && plurals.contains(text(Array(part))) ? part.dropLast() : part
        }
        while parts.count > 1, let last = parts.last, last.count == 1,
            last.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "v") })
        {
            parts.removeLast()
        }
        return Array(parts.joined(separator: [hyphen]))
    }

    /// Parts of names that mean the same of several; other lists, as of `tickets`, are rarely of credentials.
    private static let plurals: Set<String> = ["keys", "cookies", "sessions", "signatures"]

    private static func text(_ octets: [UInt8]) -> String { String(decoding: octets, as: UTF8.self) }

    /// Whole names, with hyphens between their parts and without a leading `x-`.
    private static let names: Set<String> = [
        // Keys of interfaces and gateways that do not end in `-key`.
        "key", "apikey", "appkey", "authkey", "keyid", "key-pair-id", "accesskeyid", "awsaccesskeyid", "googleaccessid",
        "amz-credential", "goog-credential", "amz-server-side-encryption-customer-key-md5",
        // Passwords and numbers that stand for them.
        "user-pass", "userpass",
        // What a login hands on.
        "code-verifier", "code-challenge", "client-assertion", "samlresponse", "samlrequest", "oobcode", "magic-link",
        "magiclink", "ticket", "phpsessid", "aspsessionid", "jsessionid", "connect-sid",
        // Signatures, which hold for the request as it was and prove who made it.
        "sign", "policy", "dpop",
        // Certificates of clients, and what proxies say of them.
        "forwarded-client-cert", "ssl-client-cert", "client-cert", "client-cert-chain", "tls-client-cert",
        "arr-clientcert", "ssl-cert", "client-certificate", "ssl-client-verify", "ssl-client-s-dn",
        // What identity-aware proxies assert of the user.
        "goog-authenticated-user-email", "goog-authenticated-user-id", "amzn-oidc-data", "amzn-oidc-identity",
        "endpoint-api-userinfo", "ssl-client-raw-cert", "cookies", "ms-client-principal", "ms-client-principal-id",
        "ms-client-principal-name",
        "remote-user", "remote-email", "remote-name", "remote-groups", "webauth-user", "forwarded-user",
        "forwarded-email", "forwarded-groups", "forwarded-preferred-username", "consumer-username", "consumer-id",
        "consumer-custom-id", "credential-username", "user-claims",
        // Browsers can send a token nowhere else when they open a WebSocket.
        "sec-websocket-protocol",
    ]

    /// Whole names that the rules below would take for credentials.
    private static let harmless: Set<String> = [
        "sec-websocket-key", "sec-websocket-accept", "idempotency-key", "idempotent-key", "idempotence-key",
        "request-idempotency-key", "goog-request-idempotency-key", "surrogate-key", "cache-key", "sort-key",
        "partition-key", "primary-key", "foreign-key", "row-key", "object-key", "group-key", "routing-key",
        "message-key", "order-key", "lookup-key", "translation-key", "locale-key", "issue-key", "project-key",
        "cookie-consent", "cookie-policy", "session-length", "session-duration", "token-type", "token-count",
        "max-tokens", "signature-version", "signaturemethod", "signature-method", "amz-signedheaders", "otp-type",
        "password-policy", "pass-through", "pass-rate", "pass-count", "authority", "cross-origin-embedder-policy",
        "auth-type", "auth-method", "hmac-algorithm", "public-key-pins", "public-key-pins-report-only",
        "max-key", "response-key", "feature-key", "max-session", "accept-cookie", "cookie-enabled", "oauth-scope",
        "auth0-client",
    ]

    /// Parts of names that tell a credential where they stand alone between hyphens and the like.
    private static let parts: Set<String> = [
        "session", "signature", "bearer", "csrf", "xsrf", "cookie", "cookie2", "otp", "totp", "hotp", "mfa", "2fa",
        "tfa", "wsse", "hmac", "auth", "assertion", "authorization", "authentication", "authenticated", "pass",
        "passkey", "pincode", "sso", "webauthn",
    ]

    /// Parts of names that tell a credential where they come last, as in `user[pwd]`, `new_pin` and `__Host-sid`.
    private static let lastParts: Set<String> = [
        "pw", "pwd", "pin", "cvv", "cvc", "sid", "sessid", "sas", "sig", "userinfo",
    ]

    /// What may stand behind such a part.
    private static let additions: Set<String> = [
        "code", "number", "value", "hash", "new", "old", "current", "again", "repeat", "confirm", "confirmation",
        "check",
    ]

    /// Words that tell a credential wherever they stand, as in `accessToken` and `user_password`.
    private static let words: [[UInt8]] = [
        "token", "secret", "password", "passwd", "passphrase", "passcode", "credential", "jwt", "apikey", "accesskey",
        "access-key", "api-key", "privatekey", "private-key", "secretkey", "sessionid", "authorization", "licensekey",
        "sessionkey",
        "signingkey", "webhookkey", "masterkey", "subscriptionkey", "encryptionkey",
    ].map { Array($0.utf8) }

    /// Ends that tell a credential.
    private static let suffixes = ["-key", "-authorization", "-oauth"]

    /// Beginnings that tell one.
    private static let prefixes = ["impersonate-", "auth-request-", "oauth-"]

    /// Whether a word stands anywhere in a name; both in octets, since every header of every copy is asked about.
    private static func stands(_ word: [UInt8], in name: [UInt8]) -> Bool {
        guard name.count >= word.count else { return false }
        return (0...name.count - word.count).contains { start in
            name[start] == word[0] && name[start..<start + word.count].elementsEqual(word)
        }
    }

    private static let hyphen = UInt8(ascii: "-")
    /// What stands between the parts of names, in forms, JSON and headers.
    private static let separators = Set("-_.[]$:/ ".utf8)

    private static func isUpper(_ octet: UInt8) -> Bool { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= octet }

    private static func isLower(_ octet: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= octet }

    private static func isDigit(_ octet: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= octet }
}
