// Wingmirror · Apache-2.0

extension RouteMetadata {
    init(_ rule: HTTPRule) {
        timeout = rule.timeout
        if let retries = rule.retries {
            retryAttempts = retries.attempts
            retryOn = retries.retryOn
            perTryTimeout = retries.perTryTimeout ?? ""
        }
        if let rewrite = rule.rewrite {
            rewriteURI =
                rewrite.hasURIRegexRewrite
                ? "\(rewrite.uriRegexMatch ?? "") → \(rewrite.uriRegexRewrite ?? "")" : rewrite.uri
            rewriteAuthority = rewrite.authority
            rewritesByPattern = rewrite.hasURIRegexRewrite
            rewritesWholePath = rewrite.replacesWholePath
        }
        if rewriteAuthority.isEmpty { rewriteAuthority = rule.headers?.authority ?? "" }
        fault = Self.describe(rule.fault)
        if let redirect = rule.redirect {
            status = redirect.redirectCode ?? 301
            self.redirect = Self.describe(redirect)
        } else if let response = rule.directResponse {
            status = response.status
        }
        hasCORSPolicy = rule.corsPolicy != nil
    }

    private static func describe(_ fault: HTTPFault?) -> String {
        var parts: [String] = []
        func share(_ injection: HTTPFault.Injection) -> String {
            let percentage = injection.percentage ?? 100
            return percentage == percentage.rounded() && abs(percentage) < 1e9
                ? "\(Int(percentage)) %" : "\(percentage) %"
        }
        if let delay = fault?.delay {
            parts.append("delay \(delay.fixedDelay ?? delay.exponentialDelay ?? "") for \(share(delay))")
        }
        if let abort = fault?.abort {
            let answer = abort.httpStatus.map(String.init) ?? abort.grpcStatus ?? abort.http2Error ?? ""
            parts.append("abort with \(answer) for \(share(abort))")
        }
        return parts.joined(separator: ", ")
    }

    private static func describe(_ redirect: HTTPRedirect) -> String {
        var parts: [String] = []
        if !redirect.scheme.isEmpty { parts.append("scheme \(redirect.scheme)") }
        if !redirect.authority.isEmpty { parts.append("authority \(redirect.authority)") }
        if let port = redirect.port { parts.append("port \(port)") }
        if let derived = redirect.derivePort { parts.append("port \(derived)") }
        if !redirect.uri.isEmpty { parts.append("path \(redirect.uri)") }
        if !redirect.prefixRewrite.isEmpty { parts.append("prefix \(redirect.prefixRewrite)") }
        return parts.joined(separator: ", ")
    }
}
