// Wingmirror · Apache-2.0

/// Host names of Gateways and VirtualServices: `*`, a name, or a name with a leading wildcard.
enum HostNames {
    /// Whether every host that `name` stands for is also one of `other`'s; compares with case, as istiod does.
    static func isCovered(_ name: String, by other: String) -> Bool {
        if other == "*" { return true }
        guard other.utf8.first == UInt8(ascii: "*") else { return name == other }
        var suffix = other.utf8[...]
        suffix.removeFirst()
        var candidate = name.utf8[...]
        if candidate.first == UInt8(ascii: "*") {
            candidate.removeFirst()
        }
        return candidate.count >= suffix.count && candidate.suffix(suffix.count).elementsEqual(suffix)
    }

    static func isWildcard(_ name: String) -> Bool {
        name.utf8.first == UInt8(ascii: "*")
    }

    /// A name without a dot becomes that of a Service in `namespace`; anything else stays.
    static func expanded(_ host: String, namespace: String, clusterDomain: String) -> String {
        if host == "*" || host.utf8.contains(UInt8(ascii: ".")) || host.utf8.contains(UInt8(ascii: ":")) { return host }
        return "\(host).\(namespace).svc.\(clusterDomain)"
    }

    /// ASCII letters in lower case; `String.lowercased()` would also change others.
    static func lowercased(_ name: String) -> String {
        guard name.utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return name }
        return String(decoding: name.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

/// The hosts that a server admits for one namespace, ready to be intersected with those of many objects.
struct AdmittedHosts {
    private let names: [String]
    private let exact: Set<String>
    private let wildcards: [String]

    init(_ names: [String]) {
        self.names = names
        exact = Set(names.filter { !HostNames.isWildcard($0) })
        wildcards = names.filter { HostNames.isWildcard($0) }
    }

    /// The narrower name of every pair of which one covers the other, each once.
    func intersection(_ hosts: [String]) -> [String] {
        var result: [String] = []
        var known: Set<String> = []
        func append(_ name: String) {
            if known.insert(name).inserted { result.append(name) }
        }
        for host in hosts {
            guard HostNames.isWildcard(host) else {
                if exact.contains(host) || wildcards.contains(where: { HostNames.isCovered(host, by: $0) }) {
                    append(host)
                }
                continue
            }
            // The common case of `*` against one name needs no search; otherwise each server name is compared.
            for name in names {
                if HostNames.isCovered(name, by: host) {
                    append(name)
                } else if HostNames.isCovered(host, by: name) {
                    append(host)
                }
            }
        }
        return result
    }
}
