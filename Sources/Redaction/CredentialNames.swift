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
    /// Whether a name, decoded and in lower case, is that of a credential.
    package static func contains(_ name: String) -> Bool {
        var octets = name.utf8.map { isSeparator($0) ? UInt8(ascii: "-") : $0 }
        if octets.starts(with: "x-".utf8) { octets.removeFirst(2) }
        let name = String(decoding: octets, as: UTF8.self)
        if harmless.contains(name) { return false }
        if names.contains(name) { return true }
        return words.contains { stands($0, in: octets) } || suffixes.contains { name.hasSuffix($0) }
            || prefixes.contains { name.hasPrefix($0) }
            || name.split(separator: "-").contains { parts.contains(String($0)) }
    }

    /// Whole names, with hyphens between their parts and without a leading `x-`.
    private static let names: Set<String> = [
        // Keys of interfaces and gateways that do not end in `-key`.
        "key", "apikey", "appkey", "authkey", "keyid", "key-pair-id", "accesskeyid", "awsaccesskeyid", "googleaccessid",
        "amz-credential", "goog-credential", "amz-server-side-encryption-customer-key-md5",
        // Passwords and numbers that stand for them.
        "pw", "pwd", "pin", "cvv", "cvc", "user-pass", "userpass",
        // What a login hands on.
        "code-verifier", "code-challenge", "client-assertion", "samlresponse", "samlrequest", "oobcode", "magic-link",
        "magiclink", "ticket", "sid", "sas", "phpsessid", "aspsessionid", "jsessionid", "connect-sid",
        // Signatures, which hold for the request as it was and prove who made it.
        "sig", "sign", "policy", "dpop",
        // Certificates of clients, and what proxies say of them.
        "forwarded-client-cert", "ssl-client-cert", "client-cert", "client-cert-chain", "tls-client-cert",
        "arr-clientcert", "ssl-cert", "client-certificate", "ssl-client-verify", "ssl-client-s-dn",
        // What identity-aware proxies assert of the user.
        "goog-authenticated-user-email", "goog-authenticated-user-id", "amzn-oidc-data", "amzn-oidc-identity",
        "endpoint-api-userinfo", "ms-client-principal", "ms-client-principal-id", "ms-client-principal-name",
        "remote-user", "remote-email", "remote-name", "remote-groups", "webauth-user", "forwarded-user",
        "forwarded-email", "forwarded-groups", "forwarded-preferred-username", "consumer-username", "consumer-id",
        "consumer-custom-id", "credential-username", "userinfo", "user-claims",
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
        "password-policy", "authority", "cross-origin-embedder-policy", "auth-type", "auth-method", "hmac-algorithm",
    ]

    /// Parts of names that tell a credential where they stand alone between hyphens and the like.
    private static let parts: Set<String> = [
        "session", "signature", "bearer", "csrf", "xsrf", "cookie", "cookie2", "otp", "totp", "hotp", "mfa", "2fa",
        "tfa", "wsse", "hmac", "auth", "assertion", "authorization", "authentication", "authenticated", "pass",
        "passkey", "pincode", "sso", "webauthn",
    ]

    /// Words that tell a credential wherever they stand, as in `accessToken` and `user_password`.
    private static let words: [[UInt8]] = [
        "token", "secret", "password", "passwd", "passphrase", "passcode", "credential", "jwt", "apikey", "accesskey",
        "access-key", "privatekey", "private-key", "secretkey", "sessionid", "authorization", "licensekey",
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

    private static func isSeparator(_ octet: UInt8) -> Bool {
        "_.[]".utf8.contains(octet)
    }
}
