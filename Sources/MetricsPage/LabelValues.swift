// Wingmirror · Apache-2.0

import AnswerComparison
import HTTPReconstruction
import KubernetesObjects
import PacketCapture
import PacketDecoding
import RouteAttribution
import ShadowTesting
import TCPReassembly
import TrafficMetrics
import TrafficModel
import TrafficPipeline

/// The values of labels that come from closed lists, taken from the lists themselves.
struct LabelValues {
    /// The name of the label.
    let label: String
    /// Which families it is meant of, where others have a label of that name with other values.
    let place: String
    /// The values, or what they are.
    let text: String

    private init(_ label: String, of place: String = "", _ values: [String], _ more: String = "") {
        self.label = label
        self.place = place
        let listed = values.map { $0.isEmpty ? "empty" : "`\($0)`" }.joined(separator: ", ")
        text = [listed, more].filter { !$0.isEmpty }.joined(separator: "; ")
    }

    private init(_ label: String, text: String) {
        self.label = label
        place = ""
        self.text = text
    }

    /// All lists.
    static let all = traffic + capture + tls + mirroring + kubernetes + agent

    private static let traffic = [
        LabelValues(
            "request_method",
            RequestMethodLabel.allCases.map(\.text),
            "the last stands for all at the series limit"
        ),
        LabelValues("request_protocol", RequestProtocolLabel.allCases.map(\.text)),
        LabelValues(
            "response_code",
            text: """
                `100` to `599`; `0` where there was no response, `unknown` where the agent missed it, `_OTHER` for what is no \
                status; at the series limit `1xx` to `5xx`, or `__overflow__` for requests that were broken off
                """
        ),
        LabelValues("response_code_class", ResponseCodeClass.allCases.map(\.text)),
        LabelValues(
            "error_type",
            ErrorTypeLabel.allCases.map(\.text),
            "failures are `5xx.*`, `grpc_error`, `no_response` and `incomplete_response`"
        ),
        LabelValues(
            "grpc_response_status",
            text:
                "`0` to `16`, as gRPC numbers them; `_OTHER` for a call that ended with another value or with none, "
                + "which clients take for 2 (UNKNOWN) and which counts as an error where 2 does"
        ),
        LabelValues(
            "close_code",
            text: "`1000` to `1015` (`1006`: no close frame), `3xxx`, `4xxx`, `none` (a frame without code), `_OTHER`"
        ),
        LabelValues("direction", ["request", "response"]),
        LabelValues("kind", of: "WebSocket messages", ["text", "binary", "ping", "pong"]),
        LabelValues("reason", of: "unmatched requests", UnmatchedReason.allCases.map(\.text)),
        LabelValues("protocol", of: "connections", ConnectionProtocolLabel.allCases.map(\.text)),
        LabelValues("reason", of: "closed connections", ConnectionCloseReason.allCases.map(\.text)),
        LabelValues("reason", of: "opaque connections", OpaqueReason.allCases.map(\.text)),
        LabelValues("reason", of: "requests seen in part", PartlySeenReason.allCases.map(\.text)),
        LabelValues("kind", of: "streams", StreamKindLabel.allCases.map(\.text)),
        LabelValues("kind", of: "unpaired messages", UnpairedMessageKind.allCases.map(\.text)),
        LabelValues("severity", of: "findings", RouteFinding.Severity.allCases.map(\.rawValue)),
        LabelValues("code", of: "findings", FindingCode.allCases.map(\.rawValue)),
    ]

    private static let capture = [
        LabelValues("reason", of: "dropped packets", ["kernel_buffer", "interface"]),
        LabelValues("reason", of: "capture restarts", CaptureRestartReason.allCases.map(\.rawValue)),
        LabelValues("layer", ProtocolLayer.allCases.map(\.label)),
        LabelValues("reason", of: "decode errors", DecodeFailure.Reason.allCases.map(\.label)),
        LabelValues("reason", of: "packets without TCP", IgnoredReason.allCases.map(\.label)),
        LabelValues("reason", of: "ended connections of `flow_`", ConnectionEnd.allCases.map(\.label)),
        LabelValues("reason", of: "evictions", EvictionReason.allCases.map(\.label)),
        LabelValues("reason", of: "half-open connections", HalfOpenEndLabel.allCases.map(\.text)),
        LabelValues("outcome", of: "fragmented datagrams", FragmentOutcomeLabel.allCases.map(\.text)),
        LabelValues("limit", ReassemblyLimit.allCases.map(\.label)),
        LabelValues("reason", of: "ignored segments", IgnoredSegmentLabel.allCases.map(\.text)),
        LabelValues("reason", of: "reassembly gaps", MissingReason.allCases.map(\.label)),
        LabelValues("kind", of: "recoveries", RecoveryLabel.allCases.map(\.text)),
        LabelValues("outcome", of: "checksum errors", ChecksumErrorLabel.allCases.map(\.text)),
        LabelValues("outcome", of: "PROXY headers", ProxyHeaderLabel.allCases.map(\.text)),
        LabelValues("reason", of: "parse errors", ParseFailure.allCases.map(\.label)),
        LabelValues("part", ["head", "exchange", "message", "content"]),
        LabelValues("frame_type", HTTP2Figures.frameTypes),
        LabelValues("outcome", of: "header tables", ["recovered", "abandoned"]),
    ]

    private static let tls = [
        LabelValues("result", of: "TLS records", ["opened", "skipped", "failed"]),
        LabelValues("result", of: "trial decryptions", ["made", "refused"]),
        LabelValues("alert", text: "the descriptions of RFC 8446 §6 such as `handshake_failure`, and `other`"),
        LabelValues("kind", of: "key log lines", ["secret", "not_needed", "malformed"]),
        LabelValues("reason", of: "dropped keys", ["expired", "limit"]),
        LabelValues("kind", of: "passed-through connections", ["VirtualService", "TLSRoute"]),
    ]

    private static let mirroring = [
        LabelValues("reason", of: "filtered requests", FilterReason.allCases.map(\.rawValue)),
        LabelValues("reason", of: "dropped copies", DropReason.allCases.map(\.rawValue)),
        LabelValues("outcome", of: "copies", ["ok"] + ShadowFailure.allCases.map(\.rawValue)),
        LabelValues("reason", of: "pauses", PauseReason.allCases.map(\.rawValue)),
        LabelValues("result", of: "comparisons", ComparisonWord.allCases.map(\.rawValue)),
        LabelValues("verdict", Verdict.allCases.map(\.rawValue)),
        LabelValues("design", VerdictDesign.allCases.map(\.rawValue)),
        LabelValues("fate", ["sent", "dropped"]),
    ]

    private static let kubernetes = [
        LabelValues("type", of: "watch events", ["added", "modified", "deleted", "bookmark", "error"]),
        LabelValues("reason", of: "watch restarts", WatchTrouble.allCases.map(\.rawValue)),
    ]

    private static let agent = [
        LabelValues("outcome", of: "reloads", ["success", "rejected"]),
        LabelValues("work", SheddingLevel.allCases.compactMap(\.work)),
        LabelValues("lost", FoldedDetail.allCases.map(\.text)),
        LabelValues("format", of: "scrapes", ExpositionFormat.allCases.map(\.labelText) + ["none"]),
        LabelValues("reason", of: "dropped records", ["queue_full", "write_failed", "shutdown"]),
    ]
}
