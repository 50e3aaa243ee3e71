// Wingmirror · Apache-2.0
// Accept-Encoding: RFC 9110 §12.5.3.

/// How a response may be coded.
enum ContentCoding {
    /// Whether the value of an Accept-Encoding field asks for gzip.
    static func acceptsGzip(_ acceptEncoding: String?) -> Bool {
        var wildcard = false
        for element in (acceptEncoding ?? "").split(separator: ",") {
            let parts = element.split(separator: ";", omittingEmptySubsequences: false).map {
                $0.filter { $0 != " " && $0 != "\t" }
            }
            let coding = parts[0].lowercased()
            let isWanted = parts.dropFirst().allSatisfy { !isZeroWeight($0) }
            switch coding {
            case "gzip", "x-gzip": return isWanted
            case "*": wildcard = isWanted
            default: continue
            }
        }
        return wildcard
    }

    private static func isZeroWeight(_ parameter: String) -> Bool {
        let lowercased = parameter.lowercased()
        guard lowercased.hasPrefix("q=") else { return false }
        return Double(lowercased.dropFirst(2)) == 0
    }
}
