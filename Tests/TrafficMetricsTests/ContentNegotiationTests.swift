// Wingmirror · Apache-2.0
// Prometheus content negotiation; Accept, RFC 9110 §12.5.1.

import Testing

@testable import TrafficMetrics

@Suite struct ContentNegotiationTests {
    static let text = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    static let openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
    static let oldOpenMetrics = "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores"

    static let askedProtobuf =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    static let protobuf =
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; "
        + "escaping=underscores"

    struct Row: Sendable, CustomTestStringConvertible {
        let label: String
        let accept: String?
        let contentType: String

        init(_ label: String, _ accept: String?, _ contentType: String) {
            self.label = label
            self.accept = accept
            self.contentType = contentType
        }

        var testDescription: String { label }
    }

    @Test(arguments: [
        Row("no field", nil, text),
        Row("empty field", "", text),
        Row("anything", "*/*", text),
        Row("a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", text),
        Row("nothing of ours", "application/json", text),
        Row("text 0.0.4", "text/plain;version=0.0.4", text),
        Row("text 1.0.0", "text/plain;version=1.0.0", text),
        Row("text of an unknown version only", "text/plain;version=9", text),
        Row("OpenMetrics", "application/openmetrics-text;version=1.0.0", openMetrics),
        Row("OpenMetrics, old", "application/openmetrics-text;version=0.0.1", oldOpenMetrics),
        Row("OpenMetrics without a version", "application/openmetrics-text", oldOpenMetrics),
        Row("OpenMetrics of the future", "application/openmetrics-text;version=2.0.0,text/plain;q=0.1", text),
        Row(
            "Prometheus 2.42",
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            openMetrics
        ),
        Row(
            "Prometheus with native histograms",
            "\(askedProtobuf),"
                + "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            protobuf
        ),
        Row(
            "Prometheus 3 with native histograms",
            "\(askedProtobuf);escaping=allow-utf-8;q=0.6,"
                + "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.1",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; "
                + "escaping=allow-utf-8"
        ),
        Row("protobuf wanted less", "\(askedProtobuf);q=0.3,text/plain;q=0.4", text),
        Row("all of equal quality", "text/plain;version=0.0.4,application/openmetrics-text,\(askedProtobuf)", protobuf),
        Row("protobuf in another encoding", "\(askedProtobuf.replacing("delimited", with: "text"))", text),
        Row("protobuf without parameters", "application/vnd.google.protobuf", text),
        Row(
            "protobuf of another message",
            "application/vnd.google.protobuf;proto=io.prometheus.client.Metric;encoding=delimited",
            text
        ),
        Row(
            "Prometheus 3",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                + "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
                + "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,/;q=0.1",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
        ),
        Row("text first by quality", "application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.9", text),
        Row("equal quality", "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0", openMetrics),
        Row("quality zero", "application/openmetrics-text;version=1.0.0;q=0,text/plain;q=0.001", text),
        Row("quality out of range", "application/openmetrics-text;version=1.0.0;q=2,text/plain;q=0.1", text),
        Row("quality with four decimals", "application/openmetrics-text;version=1.0.0;q=0.9999", text),
        Row("case and space", " Application/OpenMetrics-Text ; Version=1.0.0 ;\tQ=1.000 ", openMetrics),
        Row("quoted values", #"application/openmetrics-text; version="1.0.0"; note="a,b;c\"d""#, openMetrics),
        Row("unknown parameters", "application/openmetrics-text;foo=bar;version=1.0.0;charset=utf-8", openMetrics),
        Row("unknown escaping", "text/plain;version=0.0.4;escaping=none", text),
        Row(
            "another escaping",
            "text/plain;version=0.0.4;escaping=dots",
            "text/plain; version=0.0.4; charset=utf-8; escaping=dots"
        ),
        Row("rubbish", ";;;,,,=,q=1;/;;", text),
        Row("an open quote", #"text/plain;version="0.0.4"#, text),
    ])
    func `the best that is asked for is served`(_ row: Row) {
        #expect(NegotiatedExposition(accept: row.accept).contentType == row.contentType)
    }
}
