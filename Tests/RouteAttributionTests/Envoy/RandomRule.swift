// Wingmirror · Apache-2.0

import JSONSyntax
import OctetText
import RouteAttribution

/// A comparison that can be written for Istio and for Envoy.
struct RandomComparison {
    enum Kind: CaseIterable {
        case present
        case exact
        case prefix
        case regex
    }

    var kind: Kind
    var value: String
    /// For regular expressions a text that matches.
    var example: String

    static let regexes = [
        ("[a-z]+", "abc"), ("v[0-9]{1,2}", "v12"), ("a|b", "b"), (".*", "x"), ("(?i)ABC", "aBc"), ("a.c", "a/c"),
        ("", ""),
    ].dropLast()

    init(_ values: [String], kinds: [Kind] = Kind.allCases, _ generator: inout SeededGenerator) {
        kind = kinds.randomElement(using: &generator) ?? .exact
        value = values.randomElement(using: &generator) ?? "x"
        example = value
        if kind == .regex, let (regex, example) = Self.regexes.randomElement(using: &generator) {
            value = regex
            self.example = example
        }
    }

    /// The condition as a VirtualService has it.
    var istio: String {
        switch kind {
        case .present: "{}"
        case .exact: "{exact: '\(value)'}"
        case .prefix: "{prefix: '\(value)'}"
        case .regex: "{regex: '\(value)'}"
        }
    }

    /// Writes the condition as istiod translates it.
    func writeEnvoy(to json: inout JSONText) {
        guard kind != .present else {
            json.key("present_match")
            json.bool(true)
            return
        }
        json.key("string_match")
        json.beginObject()
        switch kind {
        case .exact: json.key("exact")
        case .prefix: json.key("prefix")
        default: json.key("safe_regex")
        }
        if kind == .regex {
            json.beginObject()
            json.key("regex")
            json.string(value)
            json.endObject()
        } else {
            json.string(value)
        }
        json.endObject()
    }
}

/// A rule that can be written for Istio and for Envoy, and requests at its edges.
struct RandomRule {
    let name: String
    var path: RandomComparison?
    var ignoresCase = false
    var headers: [(name: String, comparison: RandomComparison, isNegated: Bool)] = []
    var parameters: [(name: String, comparison: RandomComparison)] = []

    private static let paths = [
        "/", "/a", "/a/", "/A", "/a/b", "/shop", "/shop/items", "/shop/items/", "/x.y;z", "/%2F",
    ]
    private static let values = ["1", "abc", "v1", "a,b", "b", "x y"]
    private static let headerNames = [
        "x-a", "x-b", "cookie", "accept", "user-agent", ":method", ":authority", ":path", "x-forwarded-proto",
    ]
    private static let valueKinds: [RandomComparison.Kind] = [.exact, .prefix, .regex]

    init(name: String, _ generator: inout SeededGenerator) {
        self.name = name
        if Int.random(in: 0..<8, using: &generator) > 0 {
            var path = RandomComparison(Self.paths, kinds: Self.valueKinds, &generator)
            if path.kind == .regex {
                (path.value, path.example) =
                    [("/[a-z]/[^/]+", "/a/b"), ("/shop(/.*)?", "/shop/x"), ("/(?i)a.*", "/AB"), ("/a|/b", "/b")]
                    .randomElement(using: &generator) ?? ("/x", "/x")
            }
            self.path = path
            ignoresCase = Int.random(in: 0..<4, using: &generator) == 0
        }
        let fields = Self.headerNames.shuffled(using: &generator)
        for field in fields.prefix([0, 0, 1, 1, 2, 3].randomElement(using: &generator) ?? 0) {
            let kinds = field == ":path" ? Self.valueKinds : RandomComparison.Kind.allCases
            var comparison = RandomComparison(Self.headerValues(field), kinds: kinds, &generator)
            if comparison.kind == .prefix, comparison.value.isEmpty { comparison.kind = .exact }
            // A pseudo-header field is always there, so its absence is never asked for.
            let isNegated = !field.hasPrefix(":") && Int.random(in: 0..<4, using: &generator) == 0
            headers.append((field, comparison, isNegated))
        }
        for parameter in ["k", "q", "Q"].shuffled(using: &generator)
            .prefix([0, 0, 0, 1, 2].randomElement(using: &generator) ?? 0)
        {
            parameters.append((parameter, RandomComparison(Self.values, &generator)))
        }
    }

    private static func headerValues(_ name: String) -> [String] {
        switch name {
        case ":method": ["GET", "POST", "P"]
        case ":authority": ["h.example.com", "h.example.com:80", "H"]
        case ":path": ["/a?k=1", "/a", "/shop"]
        case "x-forwarded-proto": ["http", "https"]
        default: values
        }
    }

    // MARK: Istio

    /// The rule of a VirtualService, in one line of YAML.
    var istio: String {
        var parts: [String] = []
        if let path { parts.append("uri: \(path.istio)") }
        if ignoresCase { parts.append("ignoreUriCase: true") }
        func list(_ entries: [(String, String)]) -> String {
            "{" + entries.map { "'\($0.0)': \($0.1)" }.joined(separator: ", ") + "}"
        }
        let positive = headers.filter { !$0.isNegated }.map { ($0.name, $0.comparison.istio) }
        let negative = headers.filter(\.isNegated).map { ($0.name, $0.comparison.istio) }
        if !positive.isEmpty { parts.append("headers: \(list(positive))") }
        if !negative.isEmpty { parts.append("withoutHeaders: \(list(negative))") }
        if !parameters.isEmpty {
            parts.append("queryParams: \(list(parameters.map { ($0.name, $0.comparison.istio) }))")
        }
        return "{name: \(name), match: [{\(parts.joined(separator: ", "))}], route: [{destination: {host: a}}]}"
    }

    // MARK: Envoy

    /// Writes the route as istiod translates it.
    func writeEnvoy(to json: inout JSONText) {
        json.beginObject()
        json.key("name")
        json.string(name)
        json.key("match")
        json.beginObject()
        switch path?.kind {
        case .exact: json.key("path")
        case .regex: json.key("safe_regex")
        default: json.key("prefix")
        }
        if let path, path.kind == .regex {
            json.beginObject()
            json.key("regex")
            json.string(path.value)
            json.endObject()
        } else {
            json.string(path?.value ?? "/")
        }
        if ignoresCase, path?.kind != .regex {
            json.key("case_sensitive")
            json.bool(false)
        }
        writeHeaders(to: &json)
        writeParameters(to: &json)
        json.endObject()
        json.endObject()
    }

    private func writeHeaders(to json: inout JSONText) {
        json.key("headers")
        json.beginList()
        for header in headers {
            json.beginObject()
            json.key("name")
            json.string(header.name)
            header.comparison.writeEnvoy(to: &json)
            if header.isNegated {
                json.key("invert_match")
                json.bool(true)
                if header.comparison.kind != .present {
                    json.key("treat_missing_header_as_empty")
                    json.bool(true)
                }
            }
            json.endObject()
        }
        json.endList()
    }

    private func writeParameters(to json: inout JSONText) {
        json.key("query_parameters")
        json.beginList()
        for parameter in parameters {
            json.beginObject()
            json.key("name")
            json.string(parameter.name)
            parameter.comparison.writeEnvoy(to: &json)
            json.endObject()
        }
        json.endList()
    }

    // MARK: Requests

    /// A request that the rule would take, with one thing changed more often than not.
    func request(_ generator: inout SeededGenerator) -> RandomRequest {
        var request = RandomRequest(path: path?.example ?? "/other")
        for header in headers where !header.isNegated || Bool.random(using: &generator) {
            switch header.name {
            case ":method": request.method = header.comparison.example == "P" ? "PUT" : header.comparison.example
            case ":authority":
                request.authority = header.comparison.example == "H" ? "H.example.com" : header.comparison.example
            case ":path": request.path = header.comparison.example
            default: request.fields.append((header.name, header.comparison.example))
            }
        }
        for parameter in parameters { request.query.append("\(parameter.name)=\(parameter.comparison.example)") }
        request.change(&generator)
        return request
    }
}

/// A request in parts.
struct RandomRequest {
    var method = "GET"
    var authority = "h.example.com"
    var path: String
    var query: [String] = []
    var fields: [(name: String, value: String)] = []

    var target: String {
        let path = path.hasPrefix("/") ? path : "/" + path
        return query.isEmpty ? path : path + (path.contains("?") ? "&" : "?") + query.joined(separator: "&")
    }

    mutating func change(_ generator: inout SeededGenerator) {
        switch Int.random(in: 0..<16, using: &generator) {
        case 0: path += "x"
        case 1: path += "/"
        case 2: path = path.uppercased()
        case 3: path += "/../"
        case 4: path += ["%2f", ";v=1", "//", "/%41", "/.", "\\b"].randomElement(using: &generator) ?? ""
        case 5:
            query.append(
                ["k", "k=", "k=1", "q=abc", "k=1=2", "&&", "Q=v1", "q=a%2Cb", "=x"].randomElement(using: &generator)
                    ?? ""
            )
        case 6: query.insert(["k=2", "q=b", "k"].randomElement(using: &generator) ?? "", at: 0)
        case 7: if !fields.isEmpty { fields.removeLast() }
        case 8: if let last = fields.last { fields.append((last.name, "other")) }
        case 9: if let last = fields.last { fields[fields.count - 1] = (last.name, last.value + "x") }
        case 10: if let last = fields.last { fields[fields.count - 1] = (last.name.uppercased(), last.value) }
        case 11: method = ["POST", "PUT", "HEAD", "OPTIONS"].randomElement(using: &generator) ?? "GET"
        case 12:
            authority =
                ["h.example.com:80", "H.Example.com", "z.h.example.com", "none"].randomElement(using: &generator) ?? ""
        case 13: if let last = fields.last { fields.insert((last.name, "first"), at: 0) }
        case 14: if let last = fields.last { fields[fields.count - 1] = (last.name, "") }
        default: break
        }
    }
}
