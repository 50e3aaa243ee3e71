// Wingmirror · Apache-2.0

import PacketDecoding

extension ConfigurationValue where Value == IPAddress {
    /// An address without a port.
    static var address: Self {
        ConfigurationValue<String>.text.map("an IP address") { IPAddress($0) }
    }
}
