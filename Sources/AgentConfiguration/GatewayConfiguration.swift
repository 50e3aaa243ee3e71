// Wingmirror · Apache-2.0

package import PacketDecoding
package import RouteAttribution

extension GatewayPort {
    /// Reads `POD` or `POD:SERVER`, as `--gateway-port` takes it; `nil` for anything else.
    package init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let pod = UInt16(decimal: parts[0]), pod > 0 else { return nil }
        let server = parts.count == 2 ? UInt16(decimal: parts[1]) : pod
        guard let server, server > 0 else { return nil }
        self.init(pod: pod, server: server)
    }
}

extension UInt16 {
    /// Reads decimal digits and nothing else: no sign, no space.
    init?(decimal text: some StringProtocol) {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        self.init(text)
    }
}

/// The workload whose traffic this is.
package struct GatewayConfiguration: Sendable, Equatable {
    /// The ports where none are named.
    package static let usualPorts = [GatewayPort(pod: 80, server: 80), GatewayPort(pod: 8080, server: 80)]

    /// The namespace of the gateway's pods.
    package var namespace = "istio-system"
    /// The labels of the gateway's pods, which Gateway objects select by.
    package var labels = ["istio": "ingressgateway", "app": "istio-ingressgateway"]
    /// The addresses of the gateway's pods; with none, whoever listens on the ports counts as the gateway.
    package var addresses: [IPAddress] = []
    /// The ports on which the gateway's pods listen.
    package var ports = Self.usualPorts
    /// How many proxies in front of the gateway are trusted to write `x-forwarded-…` fields.
    package var trustedProxies = 0
    /// Whether the gateway takes requests of HTTP/1.0.
    package var http10 = false
    /// Whether the workload was chosen rather than left at Istio's usual one.
    package var isChosen = false
    /// Whether ports were named.
    package var namesPorts = false
    /// Whether the number of trusted proxies was given.
    package var namesTrustedProxies = false
    /// Whether it was said what becomes of HTTP/1.0.
    package var namesHTTP10 = false

    /// Whether both say the same; how one came to say it (``isChosen``) is no part of that.
    package static func == (left: Self, right: Self) -> Bool {
        left.namespace == right.namespace && left.labels == right.labels && left.addresses == right.addresses
            && left.ports == right.ports && left.trustedProxies == right.trustedProxies && left.http10 == right.http10
    }
}

extension GatewayConfiguration {
    /// Reads the section `gateway`.
    init(_ section: ConfigurationSection) {
        self.init()
        let usual = self
        defer { isChosen = namespace != usual.namespace || labels != usual.labels || section.has("labels") }
        section.read("namespace", into: &namespace, as: .nonEmptyText("a namespace"))
        section.read("labels", into: &labels, as: .textByKey(such: "{app: gateway}"))
        section.read("addresses", into: &addresses, as: .list(of: .address))
        section.read("trustedProxies", into: &trustedProxies, as: .integer(in: 0...100))
        section.read("http10", into: &http10, as: .flag)
        var listed: [GatewayPort]?
        section.sections("ports", example: "{pod: 8080, server: 80}") { port in
            var pod: UInt16 = 0
            port.require("pod", into: &pod, as: .port)
            var server = pod
            port.read("server", into: &server, as: .port)
            listed = (listed ?? []) + [GatewayPort(pod: pod, server: server)]
        }
        namesTrustedProxies = section.has("trustedProxies")
        namesHTTP10 = section.has("http10")
        guard let listed else { return }
        namesPorts = true
        ports = listed
        if let repeated = listed.firstRepetition(of: \.pod) {
            section.refuse("ports", "pod port \(repeated.pod) is listed twice")
        }
    }
}

extension Array {
    /// The first element whose `key` an earlier element has too.
    package func firstRepetition(of key: (Element) -> some Hashable) -> Element? {
        var seen: Set<AnyHashable> = []
        return first { !seen.insert(AnyHashable(key($0))).inserted }
    }
}
