// Wingmirror · Apache-2.0
// Wireless LAN frames: IEEE 802.11 §9.2 and §9.3.2.

/// The MAC header of an IEEE 802.11 frame.
struct WLANHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the header of a data frame, and tells other frames from it.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        self = try WLANHeader(decoding: octets, isPadded: false)
    }

    /// Decodes the header, which some drivers pad to a multiple of four octets.
    init(decoding octets: Span<UInt8>, isPadded: Bool) throws(DecodeFailure) {
        guard octets.count >= 2 else { throw DecodeFailure(.wlan, .truncated) }
        let (control, flags) = (octets[0], octets[1])
        let (isData, isQoS, hasNoContent) = (control >> 2 & 3 == 2, control & 0x80 != 0, control & 0x40 != 0)
        guard control & 3 == 0, isData, !hasNoContent else {
            next = NextHeader(.ignored(.wlanControl), at: 0)
            return
        }
        guard flags & 0x40 == 0 else {
            next = NextHeader(.ignored(.encrypted), at: 0)
            return
        }
        let addressLength = flags & 3 == 3 ? 30 : 24
        let hasHighThroughputControl = isQoS && flags & 0x80 != 0
        let length = addressLength + (isQoS ? 2 : 0) + (hasHighThroughputControl ? 4 : 0)
        guard octets.count >= length else { throw DecodeFailure(.wlan, .truncated) }
        // Not handled: fragments, and several frames in one (A-MSDU); neither can be told as one segment.
        let isFragment = flags & 0x04 != 0 || octets[22] & 0x0F != 0
        let isAggregate = isQoS && octets[addressLength] & 0x80 != 0
        guard !isFragment, !isAggregate else { throw DecodeFailure(.wlan, .unsupported) }
        next = NextHeader(.logicalLink, at: isPadded ? (length + 3) / 4 * 4 : length)
    }
}
