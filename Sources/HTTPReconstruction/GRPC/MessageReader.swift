// Wingmirror · Apache-2.0
// Length-prefixed messages: gRPC's PROTOCOL-HTTP2 ("Length-Prefixed-Message") and PROTOCOL-WEB.

internal import PacketDecoding
internal import TrafficModel

/// Counts the messages of one direction of a gRPC call.
///
/// Messages and frames do not align, so it takes content octets as they come. Payloads are passed over by arithmetic; only
/// the five octets of a prefix, and the trailer section of gRPC-Web, are looked at.
struct MessageReader {
    /// Octets of the prefix so far, and how many.
    private var prefix: UInt64 = 0
    private var prefixCount: UInt8 = 0
    private var isTrailer = false
    private var isLost = false
    /// Octets of the message in progress that are to come.
    private var remaining: UInt32 = 0

    private static var prefixLength: UInt8 { 5 }

    init() {}

    /// Takes the next octets of content.
    /// - Parameters:
    ///   - octets: The content; borrowed for the call only.
    ///   - time: When they were captured.
    ///   - messages: Counts what is over.
    ///   - trailers: Reads the trailer section of gRPC-Web.
    mutating func octetsArrived(
        _ octets: Span<UInt8>,
        at time: PacketTime,
        _ messages: inout MessageCount,
        trailers: inout TrailerScan
    ) {
        guard !isLost else { return }
        var index = 0
        while index < octets.count {
            if prefixCount < Self.prefixLength {
                prefix = prefix << 8 | UInt64(octets[index])
                prefixCount += 1
                index += 1
                guard prefixCount == Self.prefixLength else { continue }
                remaining = UInt32(truncatingIfNeeded: prefix)
                // The highest bit marks the trailer section of gRPC-Web.
                isTrailer = prefix >> 39 & 1 == 1
            } else {
                let count = min(Int(remaining), octets.count - index)
                if isTrailer { trailers.octetsArrived(octets.extracting(index..<index + count)) }
                remaining -= UInt32(count)
                index += count
            }
            if remaining == 0 {
                if isTrailer { trailers.ended() }
                messageEnded(at: time, &messages)
            }
        }
    }

    /// Passes over content that was not captured.
    mutating func missing(_ count: Int, at time: PacketTime, _ messages: inout MessageCount) {
        guard !isLost else { return }
        guard prefixCount == Self.prefixLength, !isTrailer, count <= Int(remaining) else { return lose(&messages) }
        remaining -= UInt32(count)
        if remaining == 0 { messageEnded(at: time, &messages) }
    }

    /// Octets were missed, and nobody knows how many.
    mutating func lose(_ messages: inout MessageCount) {
        isLost = true
        messages.lose()
    }

    private mutating func messageEnded(at time: PacketTime, _ messages: inout MessageCount) {
        if !isTrailer { messages.messageEnded(at: time) }
        (prefix, prefixCount) = (0, 0)
    }
}

/// Decodes base64 that comes in pieces, each perhaps padded by itself, as gRPC-Web's text form does (RFC 4648 §4).
struct Base64Reader {
    private var bits: UInt32 = 0
    private var digits: UInt8 = 0

    init() {}

    /// Adds what the digits say to `output`; octets that are no digits are passed over.
    mutating func decode(_ text: Span<UInt8>, into output: inout [UInt8]) {
        for index in text.indices {
            if text[index] == UInt8(ascii: "=") {
                flush(into: &output)
                continue
            }
            guard let value = Self.value(text[index]) else { continue }
            bits = bits << 6 | UInt32(value)
            digits += 1
            if digits == 4 { flush(into: &output) }
        }
    }

    /// A quantum is over, whole or padded.
    private mutating func flush(into output: inout [UInt8]) {
        switch digits {
        case 4:
            output.append(UInt8(truncatingIfNeeded: bits >> 16))
            output.append(UInt8(truncatingIfNeeded: bits >> 8))
            output.append(UInt8(truncatingIfNeeded: bits))
        case 3:
            output.append(UInt8(truncatingIfNeeded: bits >> 10))
            output.append(UInt8(truncatingIfNeeded: bits >> 2))
        case 2: output.append(UInt8(truncatingIfNeeded: bits >> 4))
        default: break
        }
        (bits, digits) = (0, 0)
    }

    private static func value(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): octet - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): octet - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
