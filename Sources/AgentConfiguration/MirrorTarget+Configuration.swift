// Wingmirror · Apache-2.0

package import ShadowTesting

extension MirrorTarget {
    /// Reads one entry of `mirror.targets`.
    init(_ section: ConfigurationSection, name: String) {
        var url: ServerURL?
        section.require("url", into: &url, as: .serverURL)
        self.init(name: name, usesTLS: url?.usesTLS ?? false, host: url?.host ?? "", port: url?.port ?? 0)
        section.read("hosts", into: &hosts, as: .list(of: .nonEmptyText("a host name")))
        if let url, !hosts.isEmpty, !hosts.contains(where: { $0.lowercased() == url.host.lowercased() }) {
            section.refuse("hosts", "the host of url, \"\(url.host)\", is not among them")
        }
        section.read("hostField", into: &hostField, as: .oneOf(MirrorTarget.HostField.self))
        var rate = Rate(perSecond: ratePerSecond)
        section.read("rate", into: &rate, as: .rate)
        ratePerSecond = rate.perSecond
        section.read("inFlight", into: &inFlight, as: .integer(in: 1...100_000))
        var bytes = ByteSize(queueOctets)
        section.read("bytes", into: &bytes, as: .byteSize(in: ByteSize(kibibytes: 64)...ByteSize(mebibytes: 16_384)))
        queueOctets = bytes.octets
        section.read("drop", into: &dropsFirst, as: .oneOf(MirrorTarget.Dropped.self))
        section.read("connectTimeout", into: &connectTimeout, as: .duration(in: .milliseconds(10)...(.seconds(60))))
        section.read("timeout", into: &timeout, as: .duration(in: .milliseconds(10)...(.seconds(600))))
        section.read("http2", into: &allowsHTTP2, as: .flag)
        section.read("certificateAuthorities", into: &certificateAuthorities, as: .nonEmptyText("a PEM file"))
        section.section("breaker") { breaker = BreakerSettings($0) }
        section.section("ramp") { ramp = RampSettings($0) }
        if allowsHTTP2, !usesTLS {
            section.refuse("http2", "needs an https URL: without TLS nothing tells whether the target speaks it")
        }
    }

    /// The URL as `ServerURL` reads it.
    package var url: String {
        "\(usesTLS ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}

extension BreakerSettings {
    /// Reads the section `breaker` of a target.
    fileprivate init(_ section: ConfigurationSection) {
        self.init()
        section.read("errorShare", into: &errorShare, as: .number(in: 0...1))
        var bound = Duration.zero
        section.read("latency", into: &bound, as: .duration(in: .milliseconds(1)...(.seconds(600))))
        latency = bound == .zero ? nil : bound
        section.read("window", into: &window, as: .integer(in: 5...10_000))
        section.read("rest", into: &rest, as: .duration(in: .seconds(1)...(.seconds(3600))))
    }
}

extension RampSettings {
    /// Reads the section `ramp` of a target.
    fileprivate init(_ section: ConfigurationSection) {
        self.init()
        section.read("steps", into: &steps, as: .list(of: .number(in: 0.0001...1)))
        section.read("hold", into: &hold, as: .duration(in: .seconds(1)...(.seconds(86_400))))
        if zip(steps, steps.dropFirst()).contains(where: { $0 >= $1 }) {
            section.refuse("steps", "shares must grow, such as [0.01, 0.1, 0.5]")
        }
    }
}
