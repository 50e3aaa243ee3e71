// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly

/// Where packets come from.
package struct CaptureConfiguration: Sendable, Equatable {
    /// Which interfaces are captured.
    package enum Interfaces: Sendable, Equatable {
        /// Those with these names, in this order; none is an agent without a live capture.
        case named([String])
        /// The interfaces that carry the gateway's addresses; `any` when no address is configured.
        case automatic
    }

    /// How fast the packets of savefiles are taken.
    package enum Pace: String, Sendable, CaseIterable {
        /// As fast as they can be read.
        case fast
        /// With the pauses that lie between them in the capture.
        case realtime
    }

    /// Which packets are asked of the kernel.
    package enum Filter: Sendable, Equatable {
        /// Derived from the gateway's ports and addresses; savefiles are not filtered.
        case automatic
        /// An expression in libpcap's filter language; empty takes every packet.
        case expression(String)
    }

    /// How many packets are kept, and for how long, so that those of one connection can be saved.
    package struct Keep: Sendable, Equatable {
        /// With less than this many MiB a worker has no room for two packets of any size.
        private static let smallest = 1
        /// The largest part of the memory that the agent steers by.
        fileprivate static let largestPart = 4

        /// The most octets that they take; 0 keeps none.
        package var bytes = ByteSize(0)
        /// For how long they are kept.
        package var age: Duration = .seconds(60)

        /// Why so little cannot be kept by so many workers, each of which has its part; `nil` when it can.
        fileprivate func refusal(ofWorkers workers: Int) -> String? {
            let least = ByteSize(mebibytes: Self.smallest * workers)
            guard bytes.octets > 0, bytes < least else { return nil }
            let owner = workers > 1 ? " of \(workers) workers" : ""
            return "less than \(least) has no room for large packets\(owner); 0 keeps none"
        }

        /// Why so much cannot be kept within the memory that the agent steers by; `nil` when it can.
        package func refusal(within budget: MemoryBudget) -> String? {
            guard bytes.octets > budget.octets / Self.largestPart else { return nil }
            return "capture.keep.bytes: \(bytes) are more than a quarter of the agent's memory, which is "
                + "\(budget.octets >> 20) MiB (\(budget.origin)); keep less, or raise limits.memory"
        }
    }

    /// The interfaces to capture.
    package var interfaces: Interfaces = .named([])
    /// The savefiles to read instead of interfaces.
    package var savefiles: [String] = []
    /// How fast savefiles are read.
    package var pace: Pace = .fast
    /// Whether savefiles begin again when they end, with their times moved to the present.
    package var loop = false
    /// Which packets are wanted.
    package var filter: Filter = .automatic
    /// The most octets kept of a packet; the default holds an aggregated (GRO) frame whole.
    var snapshotLength = 262_144
    /// The kernel's ring, per interface.
    var ringBytes = ByteSize(mebibytes: 64)
    /// Threads that share each interface by flow, one pipeline each.
    package var workers = 1
    /// Whether frames for other stations are wanted too.
    var promiscuous = false
    /// What the tags of VLANs and virtual networks say of a connection.
    var networkTags = NetworkTags.join
    /// The UDP ports on which VXLAN is decoded.
    var vxlanPorts: [UInt16] = [4789, 8472]
    /// Whether packets are kept for a while, and how many.
    package var keep = Keep()
    /// The user to run as once the sources are open, when started as root; empty keeps the user.
    package var user = ""
}

extension CaptureConfiguration {
    /// Reads the section `capture`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("interfaces", into: &interfaces, as: .interfaces)
        section.read("savefiles", into: &savefiles, as: .list(of: .nonEmptyText("a path")))
        section.read("pace", into: &pace, as: .oneOf(Pace.self))
        section.read("loop", into: &loop, as: .flag)
        section.read("filter", into: &filter, as: .filter)
        section.read("snapshotLength", into: &snapshotLength, as: .integer(in: 64...262_144))
        section.read(
            "ringBytes",
            into: &ringBytes,
            as: .byteSize(in: ByteSize(256 << 10)...ByteSize(mebibytes: 2047))
        )
        section.read("workers", into: &workers, as: .integer(in: 1...256))
        section.read("promiscuous", into: &promiscuous, as: .flag)
        section.read("networkTags", into: &networkTags, as: .oneOf(NetworkTags.self))
        section.read("vxlanPorts", into: &vxlanPorts, as: .list(of: .port))
        section.section("keep") { section in
            section.read("bytes", into: &keep.bytes, as: .byteSize(in: ByteSize(0)...ByteSize(mebibytes: 2047)))
            section.read("age", into: &keep.age, as: .duration(in: .seconds(1) ... .seconds(3600)))
            if let reason = keep.refusal(ofWorkers: workers) { section.refuse("bytes", reason) }
        }
        section.read("user", into: &user, as: .text)
        if vxlanPorts.count > DecodingLimits.vxlanPortLimit {
            section.refuse("vxlanPorts", "at most \(DecodingLimits.vxlanPortLimit) ports are looked at")
        }
        if workers > 1, !savefiles.isEmpty {
            section.refuse("workers", "several workers share interfaces; pcap files are read by one")
        }
        if let reason = loopRefusal { section.refuse("loop", reason) }
        if !savefiles.isEmpty, interfaces != .named([]) {
            section.refuse("savefiles", "pcap files and interfaces cannot be read in one run; name one or the other")
        }
    }
}

extension CaptureConfiguration {
    /// Why savefiles cannot begin again; `nil` when they can, or need not.
    package var loopRefusal: String? {
        guard loop else { return nil }
        if savefiles.isEmpty { return "only pcap files can begin again; name one" }
        if savefiles.contains("-") { return "standard input cannot be read a second time; name a pcap file" }
        return pace == .realtime ? nil : "only pcap files that keep their pace can begin again: use pace realtime"
    }
}

extension ConfigurationValue where Value == CaptureConfiguration.Interfaces {
    /// `auto`, or a list of interface names.
    static var interfaces: Self {
        Self(expectation: "auto, or a list of interface names such as [eth0]") { node in
            if node.isSequence {
                let names = ConfigurationValue<[String]>.list(of: .nonEmptyText("an interface name"))
                return names.parse(node).map { .named($0) }
            }
            return node.text == "auto" ? .success(.automatic) : .failure([])
        }
    }
}

extension ConfigurationValue where Value == CaptureConfiguration.Filter {
    /// `auto`, or an expression.
    static var filter: Self {
        ConfigurationValue<String>.text.map("auto, or a filter expression") { text in
            text == "auto" ? .automatic : .expression(text)
        }
    }
}
