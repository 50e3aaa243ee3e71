// Wingmirror · Apache-2.0

import FoundationEssentials
import HTTPReconstruction
import PacketDecoding
import TCPReassembly
import TLSDecryption
import TestSupport
import TrafficModel

/// Inputs that stand for traffic.
enum TrafficFuzzing {
    /// Small tables, which are made for each input and are full sooner.
    private static let reassemblyLimits = {
        var limits = ReassemblyLimits()
        limits.connections = 8
        limits.halfOpenConnections = 2
        limits.lingeringConnections = 2
        limits.waitingConnections = 4
        limits.bufferedOctetsPerConnection = 8 << 10
        limits.bufferedOctets = 16 << 10
        limits.jumpBlocks = 8
        return limits
    }()

    private static let httpLimits = {
        var limits = HTTPLimits()
        limits.headOctets = 4096
        limits.heldOctets = 8192
        limits.pendingExchanges = 8
        limits.openExchanges = 12
        limits.retainedOctets = 32 << 10
        limits.liveStreams = 8
        limits.crowdedStreams = 2
        return limits
    }()

    private static let start: Int64 = 1_764_316_800_000_000_000

    private static func reader() -> HTTPReconstructor<FuzzSink> {
        HTTPReconstructor(sink: FuzzSink(), limits: httpLimits)
    }

    // MARK: - Packets

    /// A link type of two octets; then for each packet the milliseconds since the one before, and its octets, counted.
    static func packets(_ input: inout FuzzInput) {
        var limits = DecodingLimits()
        limits.fragmentedDatagrams = 4
        limits.fragmentOctets = 16 << 10
        var decoder = PacketDecoder(limits: limits)
        var connections = ConnectionTable(limits: reassemblyLimits)
        var streams = TLSDecryptor(sink: reader(), store: keys)
        let linkType = LinkType(rawValue: Int32(input.number()))
        var time = start
        while !input.isAtEnd {
            time += Int64(input.signedNumber()) * 1_000_000
            let range = input.counted()
            let frame = input.octets.span.extracting(range)
            let packet = CapturedPacket(
                time: PacketTime(nanoseconds: time),
                linkType: linkType,
                interface: 0,
                wireLength: frame.count
            )
            let common = PacketDecoder.commonSegment(in: frame, of: packet)
            let segment: TCPSegment
            switch decoder.decode(frame, of: packet) {
            case .segment(let found):
                segment = found
                precondition(common == nil || common == found, "the short way of decoding differs from the long one")
            case .reassembledSegment(let found):
                let datagram = decoder.datagram.extracting(0..<decoder.datagram.count)
                connections.segmentArrived(found, octets: datagram, at: packet.time, interface: 0, into: &streams)
                continue
            case .ignored, .failed:
                precondition(common == nil, "the short way of decoding finds what the long one does not")
                continue
            }
            connections.segmentArrived(segment, octets: frame, at: packet.time, interface: 0, into: &streams)
        }
        connections.captureEnded(at: PacketTime(nanoseconds: time), into: &streams)
        streams.captureEnded()
        let pending = streams.sink.pendingExchanges
        precondition(pending == 0)
    }

    /// What the first octet of a segment says; then come the deviations it names, and the payload, counted.
    enum SegmentMark {
        static let fromResponder: UInt8 = 0x01
        /// The number of the connection, of four.
        static let connection: UInt8 = 0x06
        static let syn: UInt8 = 0x08
        static let fin: UInt8 = 0x10
        static let reset: UInt8 = 0x20
        /// A signed number follows that the sequence number deviates by from the one expected.
        static let sequence: UInt8 = 0x40
        /// Milliseconds follow, signed, and a number that the acknowledgement deviates by.
        static let time: UInt8 = 0x80
    }

    /// Segments, each beginning with a ``SegmentMark``.
    static func segments(_ input: inout FuzzInput) {
        var connections = ConnectionTable(limits: reassemblyLimits)
        var streams = TLSDecryptor(sink: reader(), store: nil)
        // Near the end of the number space, so that it wraps.
        var next = [UInt32](repeating: 0xFFFF_FF00, count: 8)
        var time = start
        while !input.isAtEnd {
            let marks = input.octet()
            let direction = Int(marks & SegmentMark.fromResponder)
            let connection = Int(marks & SegmentMark.connection) >> 1
            let place = connection * 2 + direction
            let other = connection * 2 + 1 - direction
            var sequence = next[place]
            var acknowledgement = next[other]
            if marks & SegmentMark.sequence != 0 {
                sequence &+= UInt32(truncatingIfNeeded: input.signedNumber())
            }
            time += 1_000_000
            if marks & SegmentMark.time != 0 {
                time += Int64(input.signedNumber()) * 1_000_000
                acknowledgement &+= UInt32(truncatingIfNeeded: input.signedNumber())
            }
            var flags: TCPFlags = []
            if marks & SegmentMark.syn != 0 { flags.insert(.syn) }
            if marks & SegmentMark.fin != 0 { flags.insert(.fin) }
            if marks & SegmentMark.reset != 0 { flags.insert(.rst) }
            if marks & SegmentMark.syn == 0 || direction == 1 { flags.insert(.ack) }
            let payload = input.counted()
            let client = Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: UInt16(40_000 + connection))
            let server = Endpoint(address: IPAddress(ipv4: 0x0A00_0002), port: 80)
            let segment = TCPSegment(
                source: direction == 0 ? client : server,
                destination: direction == 0 ? server : client,
                sequenceNumber: SequenceNumber(sequence),
                acknowledgementNumber: SequenceNumber(acknowledgement),
                flags: flags,
                identification: UInt16(truncatingIfNeeded: time / 1_000_000),
                payload: payload
            )
            let octets = input.octets.span
            connections.segmentArrived(
                segment,
                octets: octets,
                at: PacketTime(nanoseconds: time),
                interface: 0,
                into: &streams
            )
            let length = payload.count + (marks & SegmentMark.syn != 0 ? 1 : 0) + (marks & SegmentMark.fin != 0 ? 1 : 0)
            if marks & SegmentMark.sequence == 0 { next[place] &+= UInt32(length) }
            let buffered = connections.statistics.bufferedOctets
            precondition(buffered <= reassemblyLimits.bufferedOctets)
        }
        connections.captureEnded(at: PacketTime(nanoseconds: time), into: &streams)
        streams.captureEnded()
        let left = connections.statistics
        precondition(left.entries == 0 && left.bufferedOctets == 0)
        let pending = streams.sink.pendingExchanges
        precondition(pending == 0)
    }

    // MARK: - Streams

    /// What the first octet of an event of a stream says; then comes a counted payload, or the size of a hole.
    static func streams(_ input: inout FuzzInput) {
        var streams = StreamScript(into: reader())
        while !input.isAtEnd { streams.event(&input) }
        let pending = streams.finish().pendingExchanges
        precondition(pending == 0)
    }

    /// The same with TLS in front.
    static func tls(_ input: inout FuzzInput) {
        var script = StreamScript(into: TLSDecryptor(sink: reader(), store: keys))
        while !input.isAtEnd { script.event(&input) }
        var decryptor = script.finish()
        decryptor.captureEnded()
        let pending = decryptor.sink.pendingExchanges
        precondition(pending == 0)
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// Frames: an octet with direction, loss and type, one with flags, one with the stream, and the payload, counted.
    static func frames(_ input: inout FuzzInput) {
        var script = StreamScript(into: reader())
        script.octets(preface + frame(4, 0, 0, []), .fromOriginator)
        script.octets(frame(4, 0, 0, []), .fromResponder)
        while !input.isAtEnd {
            let marks = input.octet()
            let flags = input.octet()
            let stream = input.octet()
            let octets = frame(marks >> 2 & 15, flags, stream, input.octets[input.counted()])
            let direction: StreamDirection = marks & 1 == 0 ? .fromOriginator : .fromResponder
            if marks & 0xC2 == 0xC2 {
                script.hole(octets.count, direction)
            } else {
                script.octets(octets, direction)
            }
        }
        let pending = script.finish().pendingExchanges
        precondition(pending == 0)
    }

    /// Field blocks: an octet with direction, loss, and whether the block is cut; then the block, counted.
    static func fieldBlocks(_ input: inout FuzzInput) {
        var script = StreamScript(into: reader())
        script.octets(preface + frame(4, 0, 0, []), .fromOriginator)
        script.octets(frame(4, 0, 0, []), .fromResponder)
        var stream: UInt8 = 1
        while !input.isAtEnd {
            let marks = input.octet()
            let block = input.octets[input.counted()]
            let direction: StreamDirection = marks & 1 == 0 ? .fromOriginator : .fromResponder
            var octets: [UInt8]
            if marks & 2 != 0 {
                let middle = block.startIndex + block.count / 2
                octets = frame(1, 0, stream, block[..<middle]) + frame(9, 4, stream, block[middle...])
            } else {
                octets = frame(1, marks & 8 != 0 ? 5 : 4, stream, block)
            }
            if marks & 0xC4 == 0xC4 {
                script.hole(octets.count, direction)
            } else {
                script.octets(octets, direction)
            }
            if marks & 16 != 0 { stream = stream &+ 2 | 1 }
        }
        let pending = script.finish().pendingExchanges
        precondition(pending == 0)
    }

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: ArraySlice<UInt8>) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF), type, flags, 0, 0, 0, stream]
            + payload
    }

    /// An octet that says how much comes first, then what a client sends.
    static func proxyHeader(_ input: inout FuzzInput) {
        let first = Int(input.octet())
        let octets = Array(input.rest)
        var script = StreamScript(into: reader())
        if first > 0, first < octets.count {
            script.octets(Array(octets[..<first]), .fromOriginator)
            script.octets(Array(octets[first...]), .fromOriginator)
        } else {
            script.octets(octets, .fromOriginator)
        }
        let pending = script.finish().pendingExchanges
        precondition(pending == 0)
    }

    // MARK: - Messages

    /// An octet that says what is expected, then the message.
    static func messages(_ input: inout FuzzInput) {
        let kinds: [WholeMessage.Kind] = [.request, .response(to: .get), .response(to: .head), .response(to: .connect)]
        let kind = kinds[Int(input.octet() & 3)]
        let octets = Array(input.rest)
        guard case .message(let message) = WholeMessage.read(octets.span, as: kind, limits: httpLimits) else { return }
        precondition(message.length <= octets.count && message.contentOctets == message.content.count)
        precondition(message.fields.allSatisfy { $0.value.upperBound <= octets.count })
        // What is behind a message does not change it.
        guard !message.endsWithOctets else { return }
        let exact = Array(octets[..<message.length])
        guard case .message(let again) = WholeMessage.read(exact.span, as: kind, limits: httpLimits) else {
            preconditionFailure("TrafficFuzzing.messages: a message is none without what is behind it")
        }
        precondition(again.length == message.length && again.content == message.content)
    }

    // MARK: - Keys

    /// The keys of the fixtures, without which decryption would not be reached.
    private static let keys: KeyStore = {
        let store = KeyStore()
        let folder = Repository.path + "/Tests/TLSDecryptionTests/Fixtures"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.hasSuffix(".keys") {
            if let log = try? Data(contentsOf: URL(filePath: "\(folder)/\(name)")) { store.take(keyLog: Array(log)) }
        }
        return store
    }()
}
