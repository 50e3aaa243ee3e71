// Wingmirror · Apache-2.0

import HTTPReconstruction
import JSONSyntax
import PacketDecoding
import Recordings
import ResourceFiles
import RouteAttribution
import TCPReassembly
import TLSDecryption
import TrafficModel

/// A reader of the agent as something that takes any octets: it must neither trap, nor hang, nor break its promises.
///
/// What an input means differs from target to target and is said at each; mutation should change what the reader sees and
/// not only how the input is framed, so lengths come first and are cut to what is there. A promise that is broken traps
/// here, in this module.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A link type, then packets: decoding, reassembly, TLS, HTTP and route lookup.
    case packets
    /// TCP segments of four connections without their headers' octets: reassembly and everything behind it.
    case segments
    /// What reassembly delivers of two connections: HTTP/1, HTTP/2 and WebSocket behind holes and in parts.
    case streams
    /// Frames of HTTP/2 behind a preface.
    case http2
    /// Field blocks of both directions, some of them lost: HPACK.
    case hpack
    /// Streams with the key logs of the fixtures: records, handshakes, keys.
    case tls
    /// A message of HTTP/1 as it stands: start line, field lines, framing, chunks, trailers.
    case messages
    /// The first octets of a connection, in two parts: PROXY headers.
    case proxy
    /// The text of a key log, in three parts.
    case keyLog = "key-log"
    /// A pcap or pcapng file, perhaps gzipped.
    case savefile
    /// YAML of route objects, compiled to a table.
    case yaml
    /// JSON: what was read, written and read again is the same; then as route objects.
    case json
    /// GoReplay's recording, and what is written of it.
    case gor
    /// An HTTP archive, and what is written of it.
    case har
    /// Exchange records, and what is written of them.
    case records
    /// URLs, links, forms, multipart forms and JSON from which credentials are taken.
    case redaction

    /// Reads an input.
    package func run(_ octets: Span<UInt8>) {
        var input = FuzzInput(octets)
        switch self {
        case .packets: TrafficFuzzing.packets(&input)
        case .segments: TrafficFuzzing.segments(&input)
        case .streams: TrafficFuzzing.streams(&input)
        case .http2: TrafficFuzzing.frames(&input)
        case .hpack: TrafficFuzzing.fieldBlocks(&input)
        case .tls: TrafficFuzzing.tls(&input)
        case .messages: TrafficFuzzing.messages(&input)
        case .proxy: TrafficFuzzing.proxyHeader(&input)
        case .keyLog: FileFuzzing.keyLog(input.octets)
        case .savefile: FileFuzzing.savefile(input.octets)
        case .yaml: FileFuzzing.yaml(input.octets)
        case .json: FileFuzzing.json(input.octets)
        case .gor: FileFuzzing.gor(input.octets)
        case .har: FileFuzzing.har(input.octets)
        case .records: FileFuzzing.records(input.octets)
        case .redaction: FileFuzzing.redaction(&input)
        }
    }
}
