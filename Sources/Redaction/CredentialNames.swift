// Wingmirror · Apache-2.0

/// The names under which credentials are known to travel; what bears one is not sent unless a policy says so.
///
/// A shadow request with a user's credentials acts as that user at everything that staging shares with production. A name
/// too many costs an answer that differs; a name too few can cost an account. So names are also told by their words:
/// whatever holds one such as `token` or `secret` counts. `code` and
/// `state` are not among them: they name too much else, and logins, where they are secrets, are on the list of paths.
package enum CredentialNames {
    /// Whether a field, its name in lower case, carries credentials.
    package static func containsField(_ name: String) -> Bool {
        fields.contains(name) || hasTellingPart(name)
    }

    /// Whether a parameter, its name decoded and in lower case, carries credentials.
    package static func containsParameter(_ name: String) -> Bool {
        parameters.contains(name) || hasTellingPart(name)
    }

    private static let fields: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "cookie2", "x-authorization", "x-auth",
        "x-original-authorization",
        "x-forwarded-authorization", "authentication", "x-authentication", "authentication-info",
        // Keys of interfaces, and of their gateways.
        "apikey", "api-key", "x-api-key", "x-apikey", "x-goog-api-key", "ocp-apim-subscription-key", "x-functions-key",
        "x-rapidapi-key", "x-algolia-api-key", "x-shopify-storefront-access-token", "x-master-key", "x-access-key",
        // Certificates of clients, and what proxies say of them.
        "x-forwarded-client-cert", "x-ssl-client-cert", "ssl-client-cert", "x-client-cert", "client-cert",
        "client-cert-chain", "x-tls-client-cert", "x-arr-clientcert", "x-ssl-cert", "x-client-certificate",
        // What identity-aware proxies assert of the user.
        "cf-access-jwt-assertion", "x-goog-iap-jwt-assertion", "x-goog-authenticated-user-email",
        "x-goog-authenticated-user-id", "x-amzn-oidc-data", "x-amzn-oidc-identity", "x-endpoint-api-userinfo",
        "x-jwt-assertion", "x-jwt-payload", "x-ms-client-principal", "x-remote-user", "remote-user", "x-webauth-user",
        // Signatures hold for the request as it was, and prove who made it.
        "dpop", "signature", "signature-input", "x-signature", "x-hub-signature", "x-hub-signature-256",
        "stripe-signature", "x-amz-signature", "x-slack-signature",
    ]

    private static let parameters: Set<String> = [
        "auth", "authorization", "access_key", "accesskey", "api_key", "api-key", "app_key", "appkey", "key",
        "subscription-key", "code_verifier", "assertion", "client_assertion", "samlresponse", "samlrequest",
        "sig", "sign", "hmac", "ticket", "totp", "pin", "cvv", "cvc", "sid", "session_id", "phpsessid", "aspsessionid",
        "x-amz-credential", "x-goog-credential", "awsaccesskeyid", "googleaccessid", "pwd", "pass",
    ]

    /// Parts of names that tell a credential where they stand alone between hyphens and the like.
    private static let parts: Set<String> = ["session", "signature", "bearer", "csrf", "xsrf", "cookie", "otp"]

    /// Words that tell a credential wherever they stand, as in `accessToken` and `user_password`.
    private static let words = [
        "token", "secret", "password", "passwd", "passphrase", "passcode", "credential", "jwt", "apikey", "api-key",
        "access-key", "private-key", "sessionid",
    ]

    private static func hasTellingPart(_ name: String) -> Bool {
        let hyphenated = String(decoding: name.utf8.map { isSeparator($0) ? UInt8(ascii: "-") : $0 }, as: UTF8.self)
        return words.contains { hyphenated.contains($0) }
            || hyphenated.split(separator: "-").contains { parts.contains(String($0)) }
    }

    private static func isSeparator(_ octet: UInt8) -> Bool {
        "_.[]".utf8.contains(octet)
    }
}
