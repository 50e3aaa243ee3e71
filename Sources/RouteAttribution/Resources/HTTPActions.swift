// Wingmirror · Apache-2.0

/// A rule's `redirect`.
struct HTTPRedirect: Sendable, Hashable {
    var uri = ""
    var prefixRewrite = ""
    var authority = ""
    var scheme = ""
    var port: Int?
    var derivePort: String?
    var redirectCode: Int?

    init() {}

    init(_ reader: FieldReader) throws(ResourceError) {
        uri = try reader.string("uri") ?? ""
        prefixRewrite = try reader.string("prefixRewrite") ?? ""
        authority = try reader.string("authority") ?? ""
        scheme = try reader.string("scheme") ?? ""
        port = try reader.integer("port")
        derivePort = try reader.string("derivePort")
        redirectCode = try reader.integer("redirectCode")
        if redirectCode == 0 { redirectCode = nil }
    }
}

/// A rule's `directResponse`.
struct HTTPDirectResponse: Sendable, Hashable {
    var status: Int
    /// The size of the body in octets; `nil` without a body.
    var bodyCount: Int?

    init(status: Int) {
        self.status = status
    }

    init(_ reader: FieldReader) throws(ResourceError) {
        status = try reader.integer("status") ?? 0
        bodyCount = try reader.object("body") { field throws(ResourceError) in
            if let text = try field.string("string") { return text.utf8.count }
            return (try field.string("bytes") ?? "").utf8.count * 3 / 4
        }
    }
}

/// A rule's `rewrite`.
struct HTTPRewrite: Sendable, Hashable {
    var uri = ""
    var authority = ""
    var uriRegexMatch: String?
    var uriRegexRewrite: String?
    var hasURIRegexRewrite = false
    /// Whether the whole path is replaced though the rule matches a prefix, as only the Gateway API can say.
    var replacesWholePath = false

    init() {}

    init(_ reader: FieldReader) throws(ResourceError) {
        uri = try reader.string("uri") ?? ""
        authority = try reader.string("authority") ?? ""
        if let regex = try reader.field("uriRegexRewrite") {
            hasURIRegexRewrite = true
            uriRegexMatch = try regex.string("match")
            uriRegexRewrite = try regex.string("rewrite")
        }
    }
}

/// A rule's `retries`.
struct HTTPRetry: Sendable, Hashable {
    var attempts: Int
    var perTryTimeout: String?
    var backoff: String?
    var retryOn: String
    var hasOtherSettings: Bool

    init(attempts: Int) {
        self.attempts = attempts
        retryOn = ""
        hasOtherSettings = false
    }

    init(_ reader: FieldReader) throws(ResourceError) {
        attempts = try reader.integer("attempts") ?? 0
        perTryTimeout = try reader.string("perTryTimeout")
        backoff = try reader.string("backoff")
        retryOn = try reader.string("retryOn") ?? ""
        let remote = try reader.bool("retryRemoteLocalities")
        hasOtherSettings = perTryTimeout != nil || !retryOn.isEmpty || remote != nil
    }
}

/// A rule's `fault`.
struct HTTPFault: Sendable, Hashable {
    /// A part of the requests that fails or waits.
    struct Injection: Sendable, Hashable {
        /// The percentage; `nil` means all.
        var percentage: Double?
        var fixedDelay: String?
        var exponentialDelay: String?
        var httpStatus: Int?
        var grpcStatus: String?
        var http2Error: String?
    }

    var delay: Injection?
    var abort: Injection?

    init(_ reader: FieldReader) throws(ResourceError) {
        func injection(_ key: String) throws(ResourceError) -> Injection? {
            try reader.object(key) { field throws(ResourceError) in
                var injection = Injection()
                injection.percentage = try field.object("percentage") { value throws(ResourceError) in
                    try value.number("value") ?? 0
                }
                if injection.percentage == nil, let percent = try field.integer("percent") {
                    injection.percentage = Double(percent)
                }
                injection.fixedDelay = try field.string("fixedDelay")
                injection.exponentialDelay = try field.string("exponentialDelay")
                injection.httpStatus = try field.integer("httpStatus")
                injection.grpcStatus = try field.string("grpcStatus")
                injection.http2Error = try field.string("http2Error")
                return injection
            }
        }
        delay = try injection("delay")
        abort = try injection("abort")
    }
}

/// A rule's `corsPolicy`.
struct CORSPolicy: Sendable, Hashable {
    var allowOrigins: [StringMatch]
    var allowMethods: [String]
    var allowHeaders: [String]
    var exposeHeaders: [String]
    var maxAge: String?
    var unmatchedPreflights: String?

    /// One of which no more is known than that it is there: the Gateway API's filter, which has fields of its own.
    init() {
        allowOrigins = []
        allowMethods = []
        allowHeaders = []
        exposeHeaders = []
    }

    init(_ reader: FieldReader) throws(ResourceError) {
        allowOrigins = try reader.list("allowOrigins") { entry throws(ResourceError) in try StringMatch(entry) }
        allowMethods = try reader.strings("allowMethods")
        allowHeaders = try reader.strings("allowHeaders")
        exposeHeaders = try reader.strings("exposeHeaders")
        maxAge = try reader.string("maxAge")
        unmatchedPreflights = try reader.string("unmatchedPreflights")
    }
}

/// The header operations of a rule or of one of its destinations.
struct HeaderOperations: Sendable, Hashable {
    /// What is done to the headers of one direction.
    struct Direction: Sendable, Hashable {
        var set: [String: String] = [:]
        var add: [String: String] = [:]
        var remove: [String] = []
    }

    var request = Direction()
    var response = Direction()

    init(_ reader: FieldReader) throws(ResourceError) {
        func direction(_ key: String) throws(ResourceError) -> Direction {
            guard let field = try reader.field(key) else { return Direction() }
            return Direction(
                set: try field.stringMap("set"),
                add: try field.stringMap("add"),
                remove: try field.strings("remove")
            )
        }
        request = try direction("request")
        response = try direction("response")
    }

    /// What the request's authority becomes, when the operations change it.
    var authority: String? {
        for map in [request.set, request.add] {
            for (name, value) in map where [":authority", "host"].contains(name.lowercased()) {
                return value
            }
        }
        return nil
    }
}
