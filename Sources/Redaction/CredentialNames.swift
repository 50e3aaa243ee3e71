// Wingmirror · Apache-2.0

import OctetText

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
    package static func contains(_ name: String) -> Bool { contains(name.utf8.span) }

    /// Whether a name is that of a credential, given as octets; allocates nothing.
    package static func contains(_ name: Span<UInt8>) -> Bool {
        // What is said by a name that is longer may be anything.
        guard name.count <= NameForm.longestName else { return true }
        let joined = judgement(of: NameForm(name, splitsCase: false))
        guard joined != .harmless, hasCapital(name) else { return joined == .credential }
        let split = judgement(of: NameForm(name, splitsCase: true))
        return split == .credential || split == .neither && joined == .credential
    }

    /// What is to be said of one form of a name.
    private enum Judgement {
        case harmless
        case credential
        case neither
    }

    private static func judgement(of form: NameForm) -> Judgement {
        let name = form.octets.span.extracting(0..<form.count)
        if harmlessTable.contains(name) { return .harmless }
        let plainForm = form.withoutCounts(plurals: pluralTable)
        // Most names have no numbers, and are looked at once.
        let hasCounts = plainForm.count < form.count
        let plain = plainForm.octets.span.extracting(0..<plainForm.count)
        if hasCounts, harmlessTable.contains(plain) { return .harmless }
        if nameTable.contains(name) || isCredential(name) { return .credential }
        // Whole names mean something else with a number: `policy1`, `sign-v2`.
        return hasCounts && (keyTable.contains(plain) || isCredential(plain)) ? .credential : .neither
    }

    private static func hasCapital(_ name: Span<UInt8>) -> Bool {
        // What lies below `A` wraps to more than 25.
        for index in 0..<name.count where name[index] &- UInt8(ascii: "A") < 26 { return true }
        return false
    }

    /// Whether a name with hyphens between its parts is that of a credential by what is in it.
    private static func isCredential(_ name: Span<UInt8>) -> Bool {
        if wordSearch.findsWord(in: name) || suffixOctets.contains(where: { ends(name, with: $0) })
            || prefixOctets.contains(where: { begins(name, with: $0) })
        {
            return true
        }
        var last = 0..<0
        var start = 0
        while start < name.count {
            var end = start
            while end < name.count, name[end] != UInt8(ascii: "-") { end += 1 }
            let part = name.extracting(start..<end)
            if partTable.contains(part) { return true }
            if !additionTable.contains(part), !isNumber(part) { last = start..<end }
            start = end + 1
        }
        return lastPartTable.contains(name.extracting(last))
    }

    private static func isNumber(_ part: Span<UInt8>) -> Bool {
        for index in 0..<part.count where !ASCII.isDigit(part[index]) { return false }
        return true
    }

    private static func begins(_ name: Span<UInt8>, with beginning: [UInt8]) -> Bool {
        guard name.count >= beginning.count else { return false }
        for index in 0..<beginning.count where name[index] != beginning[index] { return false }
        return true
    }

    private static func ends(_ name: Span<UInt8>, with end: [UInt8]) -> Bool {
        guard name.count >= end.count else { return false }
        return begins(name.extracting((name.count - end.count)..<name.count), with: end)
    }

    // MARK: - Tables of the lists below

    private static let nameTable = OctetWords(names)
    private static let harmlessTable = OctetWords(harmless)
    private static let partTable = OctetWords(parts)
    private static let lastPartTable = OctetWords(lastParts)
    private static let additionTable = OctetWords(additions)
    private static let pluralTable = OctetWords(plurals)
    private static let keyTable = OctetWords(["key"])
    private static let wordSearch = OctetWordSearch(words)
    private static let suffixOctets = suffixes.map { Array($0.utf8) }
    private static let prefixOctets = prefixes.map { Array($0.utf8) }

    // MARK: - Lists

    /// Parts of names that mean the same of several; other lists, as of `tickets`, are rarely of credentials.
    private static let plurals: Set<String> = ["keys", "cookies", "sessions", "signatures"]

    /// Whole names, with hyphens between their parts and without a leading `x-`.
    private static let names: Set<String> = [
        // Keys of interfaces and gateways that do not end in `-key`.
        "key", "apikey", "appkey", "authkey", "keyid", "key-pair-id", "accesskeyid", "awsaccesskeyid", "googleaccessid",
        "honeycomb-team", "amz-credential", "goog-credential", "amz-server-side-encryption-customer-key-md5",
        // Passwords and numbers that stand for them.
        "user-pass", "userpass", "basicauth", "mnemonic", "seed-phrase", "recovery-phrase", "security-answer",
        // Numbers of cards, beside those that prove who has one.
        "cardnumber", "creditcard", "credit-card", "ccnum", "cc-num", "cc-number",
        // What a login hands on.
        "code-verifier", "code-challenge", "client-assertion", "samlresponse", "samlrequest", "samlart", "wresult",
        "oobcode", "magic-link", "magiclink", "ticket", "cas-ticket", "authcode", "smsession", "mysapsso2", "phpsessid",
        "aspsessionid", "jsessionid", "connect-sid", "crumb", "jenkins-crumb", "signed-request",
        // Codes that work once; others name products, places and languages.
        "confirmation-code", "invitation-code", "invite-code", "login-code", "registration-code", "reset-code",
        "email-code", "sms-code", "smscode", "user-code", "verify-code", "mtan", "otac",
        // Signatures, which hold for the request as it was and prove who made it.
        "sign", "policy", "dpop", "cb-access-sign", "ok-access-sign", "hdnea", "hdnts", "hdntl",
        // Certificates of clients, and what proxies say of them.
        "forwarded-client-cert", "ssl-client-cert", "client-cert", "client-cert-chain", "tls-client-cert",
        "arr-clientcert", "ssl-cert", "client-certificate", "ssl-client-verify", "ssl-client-s-dn",
        "forwarded-tls-client-cert", "forwarded-tls-client-cert-info", "ssl-client-subject-dn", "ssl-client-dn",
        "tls-client-dn", "tls-client-subject-dn", "client-dn",
        // What identity-aware proxies assert of the user.
        "firebase-appcheck", "firebase-app-check", "rh-identity",
        "goog-authenticated-user-email", "goog-authenticated-user-id", "amzn-oidc-data", "amzn-oidc-identity",
        "endpoint-api-userinfo", "ssl-client-raw-cert", "cookies", "ms-client-principal", "ms-client-principal-id",
        "ms-client-principal-name",
        "remote-user", "remote-email", "remote-name", "remote-groups", "webauth-user", "forwarded-user",
        "forwarded-email", "forwarded-groups", "forwarded-preferred-username", "trusted-user", "sm-user", "iv-user",
        "iv-groups", "oam-remote-user", "consumer-username", "consumer-id",
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
        "tfa", "wsse", "hmac", "creds", "auth", "assertion", "authorization", "authentication", "authenticated", "pass",
        "passkey", "pincode", "sso", "webauthn", "authn", "authz",
    ]

    /// Parts of names that tell a credential where they come last, as in `user[pwd]`, `new_pin` and `__Host-sid`.
    private static let lastParts: Set<String> = [
        "pw", "psw", "pswd", "psk", "pin", "puk", "cvv", "cvc", "ccv", "sid", "sessid", "sas", "sig", "tok", "userinfo",
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
        "recovery-code", "backup-code", "security-code", "verification-code", "activation-code", "access-code",
        "device-code", "card-number", "pwd", "passwrd", "passwort", "kennwort", "contrasena", "connection-string",
        "connectionstring", "one-time-code", "onetimecode",
        // What proves that a person is there holds once: a copy would use it up.
        "captcha-response", "turnstile-response",
    ].map { Array($0.utf8) }

    /// Ends that tell a credential.
    private static let suffixes = ["-key", "-authorization", "-oauth"]

    /// Beginnings that tell one.
    private static let prefixes = ["impersonate-", "auth-request-", "oauth-"]
}
