// Wingmirror · Apache-2.0

/// Bounds on tables and buffers.
package struct LimitsConfiguration: Sendable, Equatable {
    /// The budget for buffered octets and tables; `nil` takes a share of what the control group or the machine has.
    package var memory: ByteSize?
    /// The most connections tracked at a time.
    package var connections = 1_000_000
    /// The most octets of one message head.
    var headBytes = ByteSize(kibibytes: 64)
    /// The most octets held for one connection until a hole is filled.
    var bufferedBytesPerConnection = ByteSize(mebibytes: 1)
    /// After how long, in packet time, a silent connection may be forgotten where there is need of room.
    var idleTimeout: Duration = .seconds(300)
}

extension LimitsConfiguration {
    /// Reads the section `limits`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("memory", into: &memory, as: .memory)
        section.read("connections", into: &connections, as: .integer(in: 16...16_000_000))
        section.read(
            "headBytes",
            into: &headBytes,
            as: .byteSize(in: ByteSize(kibibytes: 1)...ByteSize(mebibytes: 16))
        )
        section.read(
            "bufferedBytesPerConnection",
            into: &bufferedBytesPerConnection,
            as: .byteSize(in: ByteSize(kibibytes: 4)...ByteSize(mebibytes: 1024))
        )
        section.read("idleTimeout", into: &idleTimeout, as: .duration(in: .seconds(1) ... .seconds(86_400)))
    }
}

extension ConfigurationValue where Value == ByteSize? {
    /// `auto`, or a size.
    static var memory: Self {
        let size = ConfigurationValue<ByteSize>.byteSize(in: ByteSize(mebibytes: 16)...ByteSize(mebibytes: 1 << 20))
        return Self(expectation: "auto, or \(size.expectation)") { node in
            node.text == "auto" ? .success(nil) : size.parse(node).map { $0 }
        }
    }
}
