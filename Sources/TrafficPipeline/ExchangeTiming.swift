// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding

/// The intervals that are reported; all times are those of packets.
extension Exchange {
    /// When the exchange began: the first octet of the request, or of the response where the request was not seen.
    var startTime: PacketTime {
        hasRequest ? request.firstOctet : response.firstOctet
    }

    /// From the first octet of the request to the last of the response, in nanoseconds.
    var durationNanoseconds: Int64? {
        hasTimes ? response.lastOctet.nanoseconds(since: request.firstOctet) : nil
    }

    /// From the first octet of the request to the first of the final response, in nanoseconds: the first byte.
    var responseFirstByteNanoseconds: Int64? {
        hasTimes ? response.firstOctet.nanoseconds(since: request.firstOctet) : nil
    }

    /// From the last octet of the request to the first of the final response, in nanoseconds: the server wait.
    var serverWaitNanoseconds: Int64? {
        hasTimes ? response.firstOctet.nanoseconds(since: request.lastOctet) : nil
    }

    /// Whether both messages were seen, and their times do not run backwards.
    private var hasTimes: Bool {
        hasRequest && hasResponse && !integrity.contains(.clockUnreliable)
    }
}
